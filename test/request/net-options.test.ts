import type {InternalAxiosRequestConfig} from 'axios';
import {expect, test} from 'vitest';
import {netOptions} from '../../src/request/net-options.ts';

/** What `read` returns while `Object.prototype` has a property. */
function polluted<T>(name: string, value: unknown, read: () => T): T {
	Object.defineProperty(Object.prototype, name, {value, configurable: true});
	try {
		return read();
	} finally {
		Reflect.deleteProperty(Object.prototype, name);
	}
}

const config = Object.assign(Object.create(null), {family: 4}) as InternalAxiosRequestConfig;

test.each(['path', 'lookup', 'localAddress', 'localPort'] as const)(
	'a missing %s is not read from a polluted Object.prototype',
	(name) => {
		const net = netOptions(config);
		expect(polluted(name, 'evil', () => net?.[name])).toBeUndefined();
		expect(net?.family).toBe(4);
	},
);

test('the options of a request are kept', () => {
	const given = {family: 6, localAddress: '::1', socketPath: '/run/app.sock'};
	const own = Object.assign(Object.create(null), given) as InternalAxiosRequestConfig;
	expect({...netOptions(own)}).toEqual({family: 6, localAddress: '::1', path: '/run/app.sock'});
});
