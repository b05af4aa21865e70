import http from 'node:http';
import https from 'node:https';
import axios, {type AxiosRequestConfig} from 'axios';
import {parity, type Scenario} from '../support/parity.ts';

const options: readonly [string, (of: (path?: string) => string) => AxiosRequestConfig][] = [
	['family 4', (of) => ({url: of(), family: 4})],
	[
		'lookup',
		(of) => ({
			url: of('/').replace('localhost', 'looked-up.test'),
			lookup: (_host, _options, done) => done(null, '127.0.0.1', 4),
		}),
	],
	['maxRate', (of) => ({url: of(), maxRate: 1_000_000})],
	['insecureHTTPParser', (of) => ({url: of(), insecureHTTPParser: true})],
	['decompress: undefined', (of) => ({url: of(), decompress: undefined}) as object],
	[
		'withCredentials and XSRF',
		(of) => ({
			url: of(),
			withCredentials: true,
			xsrfCookieName: 'x',
			xsrfHeaderName: 'y',
			withXSRFToken: true,
		}),
	],
	[
		'advertiseZstdAcceptEncoding',
		(of) => ({url: of(), transitional: {advertiseZstdAcceptEncoding: true}}) as AxiosRequestConfig,
	],
	['httpVersion 1', (of) => ({url: of(), httpVersion: 1}) as AxiosRequestConfig],
	['httpVersion of text', (of) => ({url: of(), httpVersion: '1'}) as unknown as AxiosRequestConfig],
	['httpAgent', (of) => ({url: of(), httpAgent: new http.Agent()})],
	[
		'httpAgent with keep-alive',
		(of) => ({url: of(), httpAgent: new http.Agent({keepAlive: true})}),
	],
	['httpsAgent, which is not asked', (of) => ({url: of(), httpsAgent: new https.Agent()})],
	['socketPath: null', (of) => ({url: of(), socketPath: null})],
	['proxy: false', (of) => ({url: of(), proxy: false})],
	['a method in lower case', (of) => ({url: of(), method: 'delete'})],
	['a method of mixed case', (of) => ({url: of(), method: 'PaTcH', data: 'x'})],
	[
		'formSerializer',
		(of) => ({
			url: of(),
			method: 'post',
			data: {a: [1, 2]},
			headers: {'Content-Type': 'application/x-www-form-urlencoded'},
			formSerializer: {indexes: true},
		}),
	],
	[
		'transformRequest',
		(of) => ({
			url: of(),
			method: 'post',
			data: {a: 1},
			transformRequest: (data: unknown, sent) => {
				sent.set('X-Sent', '1');
				return JSON.stringify(data);
			},
		}),
	],
	[
		'a method with a body and none',
		(of) => ({url: of(), method: 'post', headers: {'Content-Type': 'application/json'}}),
	],
	['maxRedirects null', (of) => ({url: of(), maxRedirects: null as unknown as number})],
	['timeout 0', (of) => ({url: of(), timeout: 0})],
	['responseType null', (of) => ({url: of(), responseType: null as unknown as 'json'})],
	[
		'a cancelToken that is never used',
		(of) => ({url: of(), cancelToken: axios.CancelToken.source().token}),
	],
];

parity(
	options.map(
		([title, make]): Scenario => ({
			title: `an option: ${title}`,
			request: (s) => make((path) => s.url('a', path)),
			ends: 200,
			by: 'any',
		}),
	),
);
