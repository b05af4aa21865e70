import {createSecureContext, type SecureContext, type SecureContextOptions} from 'node:tls';
import {MtlsConfigError} from '../config-error.ts';
import type {MtlsOptions} from '../options.ts';
import {withoutPrototype} from '../util/check-options.ts';
import {lowestVersion} from './tls-options.ts';
import {loadCa} from './trust/ca.ts';
import {loadCrl} from './trust/crl.ts';

/**
 * What a context without a certificate of ours is made of: whom we believe, and how we speak.
 *
 * @throws {MtlsConfigError} for `mtls.ca` or `mtls.crl`.
 */
export function trustOptions(
	options: MtlsOptions,
): SecureContextOptions & {readonly ca?: readonly string[]} {
	const ca = loadCa(options.ca);
	const crl = loadCrl(options.crl);
	return {
		...(ca !== undefined && {ca}),
		...(crl !== undefined && {crl}),
		// Node's default can be lowered by a flag; a floor in our own words cannot.
		minVersion: options.minVersion ?? lowestVersion,
		...(options.maxVersion !== undefined && {maxVersion: options.maxVersion}),
		...(options.ciphers !== undefined && {ciphers: options.ciphers}),
	};
}

/** @throws {MtlsConfigError} for what OpenSSL refuses: the ciphers, or else the certificate. */
export function createContext(options: SecureContextOptions): SecureContext {
	try {
		return createSecureContext(withoutPrototype(options));
	} catch (cause) {
		const {code, message} = cause as NodeJS.ErrnoException;
		const option = /cipher/i.test(`${code} ${message}`) ? 'mtls.ciphers' : 'mtls.cert';
		throw new MtlsConfigError(
			'ERR_MTLS_BAD_OPTION',
			option,
			`OpenSSL refuses it: ${code ?? 'no code'}`,
			cause,
		);
	}
}
