import {types} from 'node:util';

/**
 * Whether a value is an error, of any realm: a test runner has one of its own, in which an error of Node
 * is no `instanceof Error`.
 */
export function isError(value: unknown): value is Error {
	return value instanceof Error || types.isNativeError(value);
}
