import axios, {CanceledError, isCancel} from 'axios';
import {expect} from 'vitest';
import {failureOf} from './fixture.ts';

/** The two ways of axios to say that a request is not wanted any more. */
export const ways = [
	[
		'an AbortSignal',
		() => {
			const controller = new AbortController();
			return {config: {signal: controller.signal}, cancel: () => controller.abort()};
		},
	],
	[
		'a CancelToken',
		() => {
			const {token, cancel} = axios.CancelToken.source();
			return {config: {cancelToken: token}, cancel: () => cancel()};
		},
	],
] as const;

/** The request fails with axios's own error for a request that is not wanted any more. */
export async function expectCanceled(request: Promise<unknown>) {
	const error = await failureOf(request);
	expect(error).toBeInstanceOf(CanceledError);
	expect(isCancel(error)).toBe(true);
	expect(error).toMatchObject({code: 'ERR_CANCELED', message: 'canceled'});
}
