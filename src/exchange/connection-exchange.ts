import {AxiosError, type AxiosResponse} from 'axios';
import type {RequestConnection} from '../connection/request-connection.ts';
import {isForwarded, type Route} from '../connection/route.ts';
import {abortable} from './abortable.ts';
import {type ExchangeInput, isForOrigin, routeOf} from './exchange.ts';
import {ResponseReader} from './incoming/response-reader.ts';
import {SentRequest} from './node-messages.ts';
import {
	type OutgoingBody,
	OutgoingRequest,
	outgoingBody,
	wireHeaders,
} from './outgoing/outgoing-request.ts';
import {absoluteForm, forwardHeaders, tunnelProxy} from './outgoing/proxy-request.ts';

/**
 * The exchange over the connections of this client, as axios's adapter would do it.
 *
 * @param open - Takes a connection for one request.
 */
export function connectionExchange(
	open: (route: Route) => RequestConnection,
	input: ExchangeInput,
): Promise<AxiosResponse> {
	const body = outgoingBody(input.hop, input.config);
	if (!(body instanceof Promise)) return send(open, input, body);
	return abortable(body, input, 'the body of the request is not read yet').then((read) =>
		send(open, input, read),
	);
}

function send(
	open: (route: Route) => RequestConnection,
	input: ExchangeInput,
	body: OutgoingBody,
): Promise<AxiosResponse> {
	return new Promise((resolve, reject) => {
		const {hop, config, cookie} = input;
		// Security: the proxy gets its credentials with the tunnel, and the server must not.
		const headers = wireHeaders(hop, config, cookie, isForOrigin(input));
		const request = new SentRequest(hop, headers, input.agent);
		if (body.failure !== undefined) {
			reject(AxiosError.from(body.failure, undefined, config, request));
			return;
		}
		const route = routeOf(
			input.proxy === undefined ? input : {...input, proxy: tunnelProxy(input)},
		);
		const connection = open(route);
		const reader = new ResponseReader({input, connection, request, body}, resolve, reject);
		const forwarded = isForwarded(route);
		connection.send(
			new OutgoingRequest(
				hop.method,
				forwarded ? absoluteForm(hop, hop.path) : hop.path,
				forwarded ? forwardHeaders(hop, headers, route.proxy) : headers,
				body.content,
			),
			reader,
		);
	});
}
