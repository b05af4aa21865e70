import {type ArgumentsHost, Catch, type ExceptionFilter, Logger} from '@nestjs/common';
import {AxiosError} from 'axios';
import {isMtlsError} from 'axios-mtls';
import type {Response} from 'express';

/** Answers 502 when the other side failed, instead of Nest's 500. */
@Catch(AxiosError)
export class AxiosErrorFilter implements ExceptionFilter<AxiosError> {
	private readonly logger = new Logger(AxiosErrorFilter.name);

	catch(error: AxiosError, host: ArgumentsHost): void {
		this.logger.error(error.message);
		const reason = isMtlsError(error) ? error.failure.kind : error.code;
		host.switchToHttp().getResponse<Response>().status(502).json({reason});
	}
}
