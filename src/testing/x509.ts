type X509 = typeof import('@peculiar/x509');

let loading: Promise<X509> | undefined;

/** Loads the certificate library when the first certificate is asked for: it takes 0.1 s. */
export function loadX509(): Promise<X509> {
	loading ??= load();
	return loading;
}

async function load(): Promise<X509> {
	// @peculiar/x509 refuses to load without this polyfill, and does not bring it.
	await import('reflect-metadata');
	return import('@peculiar/x509');
}
