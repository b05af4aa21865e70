import {AxiosError} from 'axios';
import type {Http2Pool} from '../../connection/http2-pool.ts';
import {axiosExchange} from '../axios.ts';
import type {Exchange, ExchangeInput} from '../exchange.ts';
import {tlsHttp2Option} from '../http2-options.ts';
import {attachProgress} from '../resend.ts';
import {Http2Request} from './request.ts';
import {http2Transport} from './transport.ts';

/**
 * The exchange of `httpVersion: 2`: axios's own adapter, with a transport of ours that sends over the
 * sessions.
 */
export function http2Exchange(sessions: Http2Pool): Exchange {
	return async (input) => {
		assertDirect(input);
		// The app brings TLS of its own, which it may where `mtls` was not given: axios's to make.
		if (tlsHttp2Option(input.config) !== undefined) return axiosExchange(input);
		try {
			return await axiosExchange(input, (signal) => http2Transport(sessions, input, signal));
		} catch (error) {
			const request: unknown = error instanceof AxiosError ? error.request : undefined;
			const progress = request instanceof Http2Request ? request.progress : undefined;
			throw progress ? attachProgress(error as AxiosError, progress) : error;
		}
	};
}

function assertDirect({config, hop, proxy}: ExchangeInput): void {
	const {origin} = hop.url;
	if (proxy !== undefined) {
		throw unsupported(
			`httpVersion: 2 cannot go through a proxy, and ${proxy} stands before ${origin}; give \`proxy: false\` to go direct`,
			config,
		);
	}
	if (config.socketPath) {
		throw unsupported(`httpVersion: 2 needs a host, and cannot go to a socketPath`, config);
	}
}

// The code that axios has for it.
function unsupported(message: string, config: ExchangeInput['config']): AxiosError {
	return new AxiosError(message, AxiosError.ERR_NOT_SUPPORT, config);
}
