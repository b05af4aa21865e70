import {createHash} from 'node:crypto';
import {types} from 'node:util';
import type {IdentityLoader, IdentityMaterial} from '../../options/mtls.ts';
import {readOptions} from '../../util/check-options.ts';
import {assertTrustDefined} from '../trust/verification.ts';

const known = ['cert', 'key', 'pfx', 'alias', 'passphrase', 'ca', 'crl', 'secureContext'] as const;

/**
 * Calls `mtls.identity`.
 *
 * @returns a promise only if the loader returned one.
 * @throws {MtlsConfigError} for `mtls.identity`, when it returns something else, and what the loader throws.
 */
export function callLoader(loader: IdentityLoader): IdentityMaterial | Promise<IdentityMaterial> {
	const given = typeof loader === 'function' ? loader() : loader.load();
	// A promise of a library, or of another realm (a test runner), is no `instanceof Promise`.
	return isThenable(given) ? Promise.resolve(given).then(checked) : checked(given);
}

function isThenable(value: unknown): value is PromiseLike<IdentityMaterial> {
	return typeof (value as {then?: unknown} | null | undefined)?.then === 'function';
}

function checked(material: unknown): IdentityMaterial {
	const read = readOptions<IdentityMaterial>(material, {
		known,
		option: 'mtls.identity',
		expected: 'an object with cert and key, pfx or secureContext',
	});
	assertTrustDefined(material as object, known, 'mtls.identity.');
	return read;
}

/** Material with the same digest makes the same identity. A hash, so that no key can be read from it. */
export function materialDigest(material: IdentityMaterial): string {
	const hash = createHash('sha256');
	for (const name of known) {
		for (const value of [material[name]].flat()) {
			if (value === undefined) continue;
			hash.update(`\n${name} `);
			if (typeof value === 'string' || types.isUint8Array(value)) hash.update(value);
			else if (value instanceof URL) hash.update(value.href);
			// A function and a SecureContext have no content to hash: the same object is the same.
			else hash.update(Object(value) === value ? numberOf(value) : String(value));
		}
	}
	return hash.digest('base64url');
}

const numbers = new WeakMap<object, number>();
let counted = 0;

function numberOf(object: object): string {
	let number = numbers.get(object);
	if (number === undefined) {
		counted += 1;
		number = counted;
		numbers.set(object, number);
	}
	return String(number);
}
