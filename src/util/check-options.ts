/*
 * Options are read once, where they enter, and only as own properties or members of the app's classes:
 * what another library has merged into `Object.prototype` is not an option of the app. The result has
 * no prototype, so that a later read of an option that was not given finds nothing there either.
 */
import {MtlsConfigError} from '../config-error.ts';

/** A shallow copy of the own properties of `object`. */
export function withoutPrototype<T extends object>(object: T): T {
	// Ten times as fast as filling an object that begins without one.
	return Object.setPrototypeOf({...object}, null);
}

/**
 * The member that an object or its class has under a name: a logger, or an object with a method, may
 * be an instance. Members of `Object.prototype` do not count.
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

/**
 * Calls `make` for a public function or class. The stack of a mistake in the options begins with the line
 * of the app that called `entry`.
 */
export function withCallerStack<T>(entry: (...args: never[]) => unknown, make: () => T): T;
export function withCallerStack<T>(
	entry: abstract new (...args: never[]) => object,
	make: () => T,
): T;
export function withCallerStack<T>(entry: unknown, make: () => T): T {
	try {
		return make();
	} catch (error) {
		if (error instanceof MtlsConfigError) {
			Error.captureStackTrace(error, entry as (...args: never[]) => unknown);
		}
		// Before an uncaught error Node prints the line that threw it, unless it finds this text in it: that
		// is this line in CommonJS, and in modules the first one of the stack.
		throw [error, 'node-do-not-add-exception-line'][0];
	}
}

/** What the value of an option must be. */
export interface OptionCheck {
	/** For the message: `expected ...`. */
	readonly expected: string;
	readonly accepts: (value: unknown) => boolean;
	/** For the message: `found ...`. @defaultValue {@link describeType} */
	readonly describe?: (value: unknown) => string;
}

export const boolean: OptionCheck = {
	expected: 'true or false',
	accepts: (value) => typeof value === 'boolean',
};

export const callback: OptionCheck = {
	expected: 'a function',
	accepts: (value) => typeof value === 'function',
};

/** For an option whose value is checked where it is used. */
export const anything: OptionCheck = {expected: 'a value', accepts: () => true};

export function oneOf(...values: readonly string[]): OptionCheck {
	return {
		expected: values.map((value) => `'${value}'`).join(' or '),
		accepts: (value) => values.includes(value as string),
		describe: (value) => (isNearly(value, values) ? `'${value}'` : describeType(value)),
	};
}

/** Whether a value is a misspelling of a word, which is no secret: a message may quote it. */
export function isNearly(value: unknown, words: readonly string[]): value is string {
	return typeof value === 'string' && closest(value, words) !== undefined;
}

export function numeric(expected: string, accepts: (value: number) => boolean): OptionCheck {
	return {
		expected,
		accepts: (value) => typeof value === 'number' && accepts(value),
		describe: numberOrType,
	};
}

/** The options that an object may have, and its name in messages. */
interface Shape<T> {
	/** The names, with the check of each where there is one. */
	readonly known: readonly (keyof T & string)[] | Readonly<Record<keyof T & string, OptionCheck>>;
	/** The option that holds them, such as `timeouts`. */
	readonly option: string;
	/** The prefix of their paths. @defaultValue `option` and a dot */
	readonly prefix?: string;
	/** What is expected, for a message. @defaultValue `'an object'` */
	readonly expected?: string;
	/** What to do instead of an unknown option, by its name. */
	readonly remedies?: ReadonlyMap<string, string>;
	/** Replaces the `describe` of the checks. */
	readonly describe?: (value: unknown) => string;
}

/**
 * The options that `given` has, in an object without a prototype. One that is `undefined` counts as not given.
 *
 * @throws {MtlsConfigError} when it is not an object, or has an unknown option or one of the wrong kind.
 */
export function readOptions<T extends object>(given: unknown, shape: Shape<NoInfer<T>>): T {
	// The shape too must inherit nothing.
	const {known, option, expected, ...rest} = withoutPrototype(shape);
	const {prefix = `${option}.`, remedies, describe} = rest;
	assertObject(given, option, expected);
	const names: readonly string[] = Array.isArray(known) ? known : Object.keys(known);
	const unknown = Object.keys(given).find((name) => !names.includes(name));
	if (unknown !== undefined) {
		throw new MtlsConfigError(
			'ERR_MTLS_UNKNOWN_OPTION',
			`${prefix}${unknown}`,
			remedies?.get(unknown) ?? noSuchOption(unknown, names),
		);
	}
	const checks = withoutPrototype(known) as Readonly<Record<string, OptionCheck | undefined>>;
	const options = Object.create(null);
	for (const name of names) {
		const value = memberOf(given, name);
		if (value === undefined) continue;
		options[name] = value;
		const check = checks[name];
		if (check === undefined) continue;
		assertOption(value, `${prefix}${name}`, describe ? {...check, describe} : check);
	}
	return options;
}

const maxNames = 12;

function noSuchOption(name: string, known: readonly string[]): string {
	const near = closest(name, known);
	if (near !== undefined) return didYouMean(near);
	const more = known.length - maxNames;
	const names = known.slice(0, maxNames).join(', ');
	return `no such option; known are ${names}${more > 0 ? ` and ${more} more` : ''}`;
}

/** @throws {MtlsConfigError} for `option`, when `value` does not pass. */
export function assertOption(value: unknown, option: string, check: OptionCheck): void {
	if (check.accepts(value)) return;
	const {expected, describe = describeType} = withoutPrototype(check);
	throw badOption(option, expected, describe(value));
}

/** @throws {MtlsConfigError} for `option`, when `given` is not an object that can hold options. */
export function assertObject(
	given: unknown,
	option: string,
	expected = 'an object',
): asserts given is object {
	if (typeof given === 'object' && given !== null && !Array.isArray(given)) return;
	throw badOption(option, expected, describeType(given));
}

/** @param found - Security: never the value itself where it may be a secret in the wrong place. */
export function badOption(option: string, expected: string, found: string): MtlsConfigError {
	return new MtlsConfigError('ERR_MTLS_BAD_OPTION', option, `expected ${expected}, found ${found}`);
}

/** What a value is, for a message that must not quote it: it may be a secret in the wrong place. */
export function describeType(value: unknown): string {
	if (value === null) return 'null';
	if (value === '') return 'an empty string';
	return Array.isArray(value) ? 'an array' : typeof value;
}

/** The same, but a number is quoted: for options that are numbers. */
export function numberOrType(value: unknown): string {
	return typeof value === 'number' ? String(value) : describeType(value);
}

/** The same error with `option`, such as `mtls[1]`, for `mtls` in its path; any other error unchanged. */
export function withOptionPath(error: unknown, option: string): unknown {
	if (!(error instanceof MtlsConfigError) || !/^mtls(?=\.|$)/.test(error.option)) return error;
	// In its sentences too, options stand in backquotes.
	const message = error.message
		.slice(error.option.length + 2)
		.replaceAll(/`mtls(?=\.)/g, `\`${option}`);
	const path = error.option.replace('mtls', option);
	return new MtlsConfigError(error.code, path, message, error.cause);
}

// Of any realm: a test runner has more than one.
function isObjectPrototype(object: object): boolean {
	return (
		object === Object.prototype ||
		(Object.getPrototypeOf(object) === null && Object.hasOwn(object, 'isPrototypeOf'))
	);
}

/** What is said of an option that was likely meant to be another one. */
export const didYouMean = (option: string) => `no such option: did you mean \`${option}\`?`;

/** Options of axios that are one letter away from one of this package: `timeouts`. */
const axiosNames: readonly string[] = ['timeout'];

/** From this length on two letters may be wrong. In a shorter name that would refuse `version` as `session`. */
const longName = 10;

/** Up to this length another letter makes another word: `bar` is not a misspelt `jar`. */
const shortName = 4;

/**
 * Refuses a misspelt option of this package in the config of a client. It may have options of plug-ins and
 * of the app, so an unknown name is refused only where it is nearly one of `known`.
 *
 * @param otherNames - Names in lower case that other libraries have for one of them.
 * @throws {MtlsConfigError} for the first one, with the name that was likely meant.
 */
export function assertNoneMisspelt(
	config: object,
	known: readonly string[],
	otherNames: ReadonlyMap<string, string>,
): void {
	for (const [name, value] of Object.entries(config)) {
		if (value === undefined || known.includes(name) || axiosNames.includes(name)) continue;
		// `max_sockets` and `max-sockets` too.
		const letters = name.toLowerCase().replaceAll(/[-_]/g, '');
		const option = otherNames.get(letters) ?? known.find((each) => isNear(letters, each));
		if (option === undefined) continue;
		throw new MtlsConfigError('ERR_MTLS_UNKNOWN_OPTION', name, didYouMean(option));
	}
}

function isNear(letters: string, option: string): boolean {
	const wanted = option.toLowerCase();
	const mistakes = wanted.length < longName ? 1 : 2;
	// Most names differ by more than that in length.
	if (Math.abs(letters.length - wanted.length) > mistakes) return false;
	const distance = editDistance(letters, wanted);
	if (distance === 0) return true;
	if (distance > mistakes) return false;
	const isShort = wanted.length <= shortName && letters.length === wanted.length;
	return !isShort || sorted(letters) === sorted(wanted);
}

const sorted = (letters: string) => [...letters].sort().join('');

/** The candidate that a word was most likely meant to be; `undefined` when none is near. */
export function closest(word: string, candidates: readonly string[]): string | undefined {
	const wanted = word.toLowerCase();
	let best: string | undefined;
	// A third of the letters may be wrong: in `get` one, in `inspect` two.
	let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
	for (const candidate of candidates) {
		const distance = editDistance(wanted, candidate.toLowerCase());
		if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
	}
	return best;
}

/** Letters to insert, delete, replace or swap with the next one (optimal string alignment). */
function editDistance(a: string, b: string): number {
	// Three rows of the table are enough: this one, the last and the one before.
	let before: number[] = [];
	let last = Array.from({length: b.length + 1}, (_, column) => column);
	for (let row = 1; row <= a.length; row += 1) {
		const current = [row];
		for (let column = 1; column <= b.length; column += 1) {
			const same = a[row - 1] === b[column - 1] ? 0 : 1;
			const isSwap = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
			current[column] = Math.min(
				at(last, column) + 1,
				at(current, column - 1) + 1,
				at(last, column - 1) + same,
				isSwap ? at(before, column - 2) + 1 : Infinity,
			);
		}
		[before, last] = [last, current];
	}
	return at(last, b.length);
}

const at = (row: readonly number[], column: number) => row[column] ?? Infinity;
