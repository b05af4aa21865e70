import {runInNewContext} from 'node:vm';
import {describe, expect, onTestFinished, test} from 'vitest';
import {MtlsConfigError} from '../../src/index.ts';
import {
	flattened,
	memberOf,
	oneOf,
	readOptions,
	withoutPrototype,
} from '../../src/util/check-options.ts';

/** What another library has merged into the prototype of all objects, until the test ends. */
function pollute(name: string, value: unknown): void {
	const how = {value, configurable: true, writable: true};
	Object.defineProperty(Object.prototype, name, how);
	onTestFinished(() => void Reflect.deleteProperty(Object.prototype, name));
}

class Base {
	get inherited(): string {
		return 'of the base';
	}
}
class Given extends Base {
	own = 'own';
	load(): string {
		return this.own;
	}
}

describe('an option that does not exist', () => {
	const message = (name: string, known: readonly string[]) => {
		try {
			readOptions({[name]: 1}, {known: known as never[], option: 'some'});
		} catch (error) {
			return (error as MtlsConfigError).message;
		}
		throw new Error('it was taken');
	};
	const names = (count: number) => Array.from({length: count}, (_, index) => `name${index}`);

	test.each([
		['CA', 'ca'],
		['passPhrase', 'passphrase'],
		['serverName', 'servername'],
		['chiphers', 'ciphers'],
	])('the option %s is taken for a mistake in %s', (name, meant) => {
		const known = ['cert', 'ca', 'passphrase', 'servername', 'ciphers'];
		expect(message(name, known)).toBe(`some.${name}: no such option: did you mean \`${meant}\`?`);
	});

	test('an option that is near to none is refused with twelve names of those that exist', () => {
		const start = 'some.frobnicate: no such option; known are';
		for (const count of [11, 12]) {
			expect(message('frobnicate', names(count))).toBe(`${start} ${names(count).join(', ')}`);
		}
		expect(message('frobnicate', names(13))).toBe(`${start} ${names(12).join(', ')} and 1 more`);
	});
});

describe('a member of an object', () => {
	test('a member of an object is its own, or that of its classes, and nothing of Object.prototype', () => {
		pollute('evil', 'evil');
		const given = new Given();
		expect(memberOf(given, 'own')).toBe('own');
		expect(memberOf(given, 'inherited')).toBe('of the base');
		expect(memberOf(given, 'load')).toBe(Given.prototype.load);
		for (const name of ['evil', 'toString', 'constructor__', '__proto__']) {
			expect(memberOf({}, name)).toBeUndefined();
		}
		expect(memberOf(Object.create(null, {own: {value: 1}}), 'own')).toBe(1);
	});

	test('a member of an object is nothing of the Object.prototype of another realm', () => {
		const foreign = runInNewContext('Object.prototype.evil = 1; ({own: 2})');
		expect(foreign.evil).toBe(1);
		expect(memberOf(foreign, 'evil')).toBeUndefined();
		expect(memberOf(foreign, 'own')).toBe(2);
	});
});

test('a flat object has what its object and its classes have', () => {
	pollute('evil', 'evil');
	const flat = flattened(new Given());
	expect(Object.getPrototypeOf(flat)).toBeNull();
	expect(flat).toMatchObject({own: 'own', inherited: 'of the base'});
	expect('evil' in flat).toBe(false);
	const template = Object.create({timeout: 1}, {url: {value: '/', enumerable: true}});
	expect({...flattened(template)}).toEqual({timeout: 1, url: '/'});
});

test('an object that has no prototype is taken as it is', () => {
	const config = withoutPrototype({url: '/'});
	expect(flattened(config)).toBe(config);
});

describe('options', () => {
	const shape = {known: ['prefix', 'key'], option: 'store'} as const;

	test('options are read once, as own properties', () => {
		pollute('key', 'evil');
		pollute('expected', 'evil');
		let reads = 0;
		const given = {
			get prefix() {
				reads += 1;
				return 'a';
			},
		};
		const options = readOptions<{prefix?: string; key?: string}>(given, shape);
		expect([options.prefix, options.prefix, options.key]).toEqual(['a', 'a', undefined]);
		expect(reads).toBe(1);
	});

	test.each([
		[null, 'null'],
		[undefined, 'undefined'],
		[5, 'number'],
		['x', 'string'],
		[[], 'an array'],
		[() => {}, 'function'],
	])('the value %j is refused as options', (given, found) => {
		const read = () => readOptions(given, {known: [], option: 'store'});
		expect(read).toThrow(MtlsConfigError);
		expect(read).toThrow(
			expect.objectContaining({
				code: 'ERR_MTLS_BAD_OPTION',
				option: 'store',
				message: `store: expected an object, found ${found}`,
			}),
		);
	});
});

test.each([
	['jsno', "found 'jsno'"],
	['Netscape', "found 'Netscape'"],
	['hunter2', 'found string'],
	['', 'found an empty string'],
	[5, 'found number'],
])(
	'the value %j of an option with few values is quoted only where it is misspelt',
	(value, found) => {
		const known = {format: oneOf('netscape', 'json')};
		expect(() => readOptions({format: value}, {known, option: 'some'})).toThrow(
			expect.objectContaining({
				code: 'ERR_MTLS_BAD_OPTION',
				message: `some.format: expected 'netscape' or 'json', ${found}`,
			}),
		);
	},
);
