import {MissingDependencyError} from './missing-dependency.ts';

type X509 = typeof import('@peculiar/x509');

let loading: Promise<X509> | undefined;

/**
 * Loads the certificate library when the first certificate is asked for: it takes 0.1 s.
 *
 * @throws {MissingDependencyError} where it is not installed.
 */
export function loadX509(): Promise<X509> {
	loading ??= load();
	return loading;
}

async function load(): Promise<X509> {
	try {
		// @peculiar/x509 refuses to load without this polyfill, and does not bring it.
		await import('reflect-metadata');
		return await import('@peculiar/x509');
	} catch (error) {
		throw isNotInstalled(error) ? new MissingDependencyError(error) : error;
	}
}

// Not where a package that one of the two needs is missing: to install them again may not help.
function isNotInstalled(error: unknown): boolean {
	return /^Cannot find (package|module) '(@peculiar\/x509|reflect-metadata)'/.test(
		(error as Error).message,
	);
}
