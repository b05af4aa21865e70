import type {InternalAxiosRequestConfig} from 'axios';
import {expect, test} from 'vitest';
import {outgoingBody} from '../../../src/exchange/outgoing/outgoing-request.ts';
import {makeBody} from '../../../src/exchange/outgoing/request-body.ts';
import {hopOf} from '../../support/make-hop.ts';

const config = {} as InternalAxiosRequestConfig;
const form = new FormData();
form.set('a', 'b');

test.each([
	['no body', undefined],
	['text', 'text'],
	['bytes', new Uint8Array(3)],
	['a form', form],
	['a stream', new ReadableStream()],
	['a Blob', new Blob(['blob'])],
])(
	'a request with %s has a failure of its own, so that Object.prototype adds none',
	async (_, data) => {
		const hop = {...hopOf(), body: data === undefined ? undefined : makeBody(data, true)};
		const body = await outgoingBody(hop, config);
		expect(Object.hasOwn(body, 'failure')).toBe(true);
		expect(body.failure).toBeUndefined();
	},
);
