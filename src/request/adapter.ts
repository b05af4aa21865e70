import {type AxiosResponse, isAxiosError} from 'axios';
import {closedError} from '../exchange/axios-errors.ts';
import {isRedirect} from '../exchange/exchange.ts';
import {flattened} from '../util/check-options.ts';
import {cleanError} from './clean-error.ts';
import {followRedirect} from './follow-redirect.ts';
import {type Adapter, type Call, type ClientContext, prepareCall} from './prepare-call.ts';
import {sendHop} from './send-hop.ts';
import {complete, type FinalResponse, settle} from './settle.ts';
import {withinTimeout} from './timeouts.ts';
import {withLogin} from './with-login.ts';

/** Makes the axios adapter of a client, which follows the redirects itself. */
export function makeAdapter(client: ClientContext): Adapter {
	const {inFlight, partOfLogin} = client;
	return async (originalConfig) => {
		inFlight.begin();
		try {
			if (partOfLogin ? inFlight.ended : inFlight.closing) throw closedError(originalConfig);
			const call = prepareCall(originalConfig, client);
			const response = await (call === undefined
				? client.fallback(flattened(originalConfig))
				: begin(call));
			inFlight.holdBody(response, originalConfig, true);
			return response;
		} catch (error) {
			cleanError(error, originalConfig);
			if (isAxiosError(error)) inFlight.holdBody(error.response, originalConfig, false);
			throw error;
		} finally {
			inFlight.done();
		}
	};
}

// Not async: in a small request each further turn of the event loop can be measured.
function begin(call: Call): Promise<AxiosResponse> {
	const {config, firstHop, timeouts} = call;
	const {requestMs} = timeouts;
	if (!requestMs) return run(call);
	return withinTimeout({
		config,
		requestMs,
		url: firstHop.url,
		run: (bounded) => run({...call, config: bounded}),
	});
}

function run(call: Call): Promise<AxiosResponse> {
	const {config, firstHop, session} = call;
	const finish = (final: FinalResponse) => {
		// A redirect may have turned it into a GET. Not in `followHops`: after a login the body is sent again.
		if (final.hop.body === undefined) firstHop.body?.discard();
		else firstHop.body?.last();
		return settle(final, config);
	};
	if (session === undefined) return followHops(call, finish);
	const send = (shouldStoreCookies: Call['shouldStoreCookies']) =>
		followHops({...call, shouldStoreCookies}, (final) => final);
	const failed = (error: unknown) => {
		// Where the login after the request has failed.
		firstHop.body?.abandon();
		throw error;
	};
	return withLogin(session, call, send).then(finish, failed);
}

/** Sends the first request and follows its redirects; `finish` makes the result. */
async function followHops<T>(call: Call, finish: (final: FinalResponse) => T): Promise<T> {
	const {firstHop} = call;
	let hop = firstHop;
	let response: AxiosResponse;
	try {
		for (;;) {
			response = await sendHop(call, hop);
			const next = isRedirect(response.status) ? followRedirect(call, hop, response) : undefined;
			if (next === undefined) break;
			hop = next;
		}
	} catch (error) {
		if (hop.body === undefined) firstHop.body?.discard();
		else hop.body.abandon();
		throw error;
	}
	complete(response, call, hop);
	return finish({response, hop});
}
