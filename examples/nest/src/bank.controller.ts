import {HttpService} from '@nestjs/axios';
import {Controller, Get, UseFilters} from '@nestjs/common';
import {map, type Observable} from 'rxjs';
import {AxiosErrorFilter} from './axios-error.filter';

interface Client {
	readonly client: string | null;
}

@Controller()
@UseFilters(AxiosErrorFilter)
export class BankController {
	constructor(private readonly http: HttpService) {}

	@Get('whoami')
	whoAmI(): Observable<Client> {
		return this.http.get<Client>('/whoami').pipe(map(({data}) => ({client: data.client})));
	}
}
