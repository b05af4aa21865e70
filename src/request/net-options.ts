/*
 * The options of a request that decide how to reach a host: `lookup`, `family`, `localAddress` and
 * `socketPath`.
 */
import type {LookupAddress, LookupOptions} from 'node:dns';
import type {LookupFunction} from 'node:net';
import {AxiosError, type InternalAxiosRequestConfig} from 'axios';
import type {Route} from '../connection/route.ts';
import {badOption, describeType, withoutPrototype} from '../util/check-options.ts';

/**
 * The part of a route that the config decides.
 *
 * @throws {MtlsConfigError} when `localAddress` is not a text.
 */
export function netOptions({
	lookup,
	family,
	localAddress,
	socketPath,
}: InternalAxiosRequestConfig): Route['net'] {
	if (localAddress !== undefined && typeof localAddress !== 'string') {
		throw badOption('localAddress', 'an IP address', `a ${describeType(localAddress)}`);
	}
	// Security: what is missing must not be read from a polluted `Object.prototype`.
	return withoutPrototype({
		...(lookup && {lookup: nodeLookup(lookup as AxiosLookup)}),
		...(family !== undefined && {family}),
		...(localAddress !== undefined && {localAddress}),
		...(socketPath && {path: socketPath}),
	});
}

/** axios's `lookup`: it calls back or returns a promise, for one address or many. */
type AxiosLookup = (
	hostname: string,
	options: LookupOptions,
	callback: (error: Error | null, found?: unknown, family?: unknown) => void,
) => unknown;

// One function for each of the app's: connections are shared by it.
const known = new WeakMap<AxiosLookup, LookupFunction>();

function nodeLookup(lookup: AxiosLookup): LookupFunction {
	let adapted = known.get(lookup);
	if (adapted === undefined) {
		adapted = adapt(lookup);
		known.set(lookup, adapted);
	}
	return adapted;
}

function adapt(lookup: AxiosLookup): LookupFunction {
	return (hostname, options, callback) => {
		const fail = (error: unknown) => callback(error as Error, '', 0);
		const pass = (found: unknown, family: unknown) => {
			let addresses: LookupAddress[];
			try {
				addresses = Array.isArray(found)
					? found.map((entry) => addressOf(entry))
					: [addressOf(found, family)];
			} catch (error) {
				fail(error);
				return;
			}
			const [first] = addresses;
			if (options.all) callback(null, addresses);
			else callback(null, first?.address ?? '', first?.family);
		};
		const given = lookup(hostname, options, (error, found, family) =>
			error ? fail(error) : pass(found, family),
		);
		if (typeof (given as PromiseLike<unknown> | undefined)?.then !== 'function') return;
		(given as PromiseLike<unknown>).then((value) => {
			// As in axios: an array has what a callback would get.
			if (Array.isArray(value)) pass(value[0], value[1]);
			else pass(value, undefined);
		}, fail);
	};
}

function addressOf(entry: unknown, family?: unknown): LookupAddress {
	const given = typeof entry === 'object' && entry !== null ? entry : {address: entry, family};
	const {address, family: own} = given as Partial<LookupAddress>;
	if (typeof address !== 'string') {
		throw new AxiosError('address must be a string', AxiosError.ERR_BAD_OPTION_VALUE);
	}
	return {address, family: Number(own) || (address.includes('.') ? 4 : 6)};
}
