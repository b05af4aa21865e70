import type {AxiosResponse} from 'axios';
import type {RequestConnection} from '../connection/request-connection.ts';
import {isForwarded, type Route} from '../connection/route.ts';
import type {ExchangeInput} from './exchange.ts';
import {routeOf} from './exchange.ts';
import {ResponseReader} from './incoming/response-reader.ts';
import {SentRequest} from './node-messages.ts';
import {bodyOf, OutgoingRequest, wireHeaders} from './outgoing/outgoing-request.ts';
import {absoluteForm, forwardHeaders} from './outgoing/proxy-request.ts';

/**
 * The exchange over the connections of this client, as axios's adapter would do it.
 *
 * @param open - A connection for one request.
 */
export function connectionExchange(
	open: (route: Route) => RequestConnection,
	input: ExchangeInput,
): Promise<AxiosResponse> {
	return new Promise((resolve, reject) => {
		const {hop, config, cookie} = input;
		const body = bodyOf(hop, config);
		const headers = wireHeaders(hop, config, cookie, body);
		const route = routeOf(input);
		const connection = open(route);
		const request = new SentRequest(hop, headers, input.agent);
		connection.send(
			isForwarded(route)
				? new OutgoingRequest(
						hop.method,
						absoluteForm(hop, hop.path),
						forwardHeaders(hop, headers, route.proxy),
						body,
					)
				: new OutgoingRequest(hop.method, hop.path, headers, body),
			new ResponseReader(input, connection, request, body?.length ?? 0, resolve, reject),
		);
	});
}
