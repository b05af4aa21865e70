/*
 * Options are read once, where they come in, and as what their own object has: what another library
 * has merged into `Object.prototype` is no option of the app's. What was read has no prototype, so
 * that a later look at an option that nobody gave finds nothing there either.
 */
import {assertKnownOptions, describeType, MtlsConfigError} from '../config-error.ts';

/** A shallow copy of what `object` itself has. */
export function withoutPrototype<T extends object>(object: T): T {
	// Ten times as fast as to fill an object that begins without one.
	return Object.setPrototypeOf({...object}, null);
}

/**
 * What an object has under a name, or its class has for it: a logger, or an object with a method, may
 * be an instance. What `Object.prototype` has is nobody's.
 */
export function memberOf(object: object, name: string): unknown {
	for (let owner: object | null = object; owner !== null; owner = Object.getPrototypeOf(owner)) {
		if (isObjectPrototype(owner)) return undefined;
		if (Object.hasOwn(owner, name)) return Reflect.get(object, name);
	}
	return undefined;
}

/** All that {@link memberOf} finds. An object without a prototype is returned as it is. */
export function flattened<T extends object>(object: T): T {
	const prototype: object | null = Object.getPrototypeOf(object);
	if (prototype === null) return object;
	if (isObjectPrototype(prototype)) return withoutPrototype(object);
	const names = new Set<string | symbol>();
	for (let owner: object | null = object; owner !== null; owner = Object.getPrototypeOf(owner)) {
		if (isObjectPrototype(owner)) break;
		for (const name of Reflect.ownKeys(owner)) names.add(name);
	}
	names.delete('constructor');
	const flat = Object.create(null);
	for (const name of names) flat[name] = Reflect.get(object, name);
	return flat;
}

/** Which options an object may have, and how it is called in messages. */
interface Shape<T> {
	readonly known: readonly (keyof T & string)[];
	/** The option that holds them, such as `timeouts`. */
	readonly option: string;
	/** Of their paths. @defaultValue `option` and a dot */
	readonly prefix?: string;
	/** What is expected, for a message. @defaultValue `'an object'` */
	readonly expected?: string;
	/** What to do instead of an option that is not known, by its name. */
	readonly remedies?: ReadonlyMap<string, string>;
}

/**
 * The options that `given` has, in an object without a prototype. One that is `undefined` is not given.
 *
 * @throws {MtlsConfigError} when it is no object, or has an option that nobody reads.
 */
export function readOptions<T extends object>(given: unknown, shape: Shape<T>): T {
	// The shape is an object too.
	const {known, option, prefix = `${option}.`, expected, remedies} = withoutPrototype(shape);
	assertObject(given, option, expected);
	assertKnownOptions(given, known, prefix, remedies);
	const options = Object.create(null);
	for (const name of known) {
		const value = memberOf(given, name);
		if (value !== undefined) options[name] = value;
	}
	return options;
}

/** @throws {MtlsConfigError} for `option`, when `given` is no object that can hold options. */
export function assertObject(
	given: unknown,
	option: string,
	expected = 'an object',
): asserts given is object {
	if (typeof given === 'object' && given !== null && !Array.isArray(given)) return;
	throw new MtlsConfigError(
		'ERR_MTLS_BAD_OPTION',
		option,
		`expected ${expected}, found ${describeType(given)}`,
	);
}

// That of any realm: a test runner has more than one.
function isObjectPrototype(object: object): boolean {
	return (
		object === Object.prototype ||
		(Object.getPrototypeOf(object) === null && Object.hasOwn(object, 'isPrototypeOf'))
	);
}
