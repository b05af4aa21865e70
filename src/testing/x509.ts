type X509 = typeof import('@peculiar/x509');

let loading: Promise<X509> | undefined;

/** Loads the certificate library when the first certificate is asked for. */
export function loadX509(): Promise<X509> {
	loading ??= load();
	return loading;
}

// @peculiar/x509 registers its algorithms with tsyringe, which refuses to load without a
// `reflect-metadata` polyfill but finds nothing in it here: none of those classes has injected
// parameters. So both questions that tsyringe asks while it loads are answered with "none", and
// taken back, because a half-made polyfill left on a global would mislead the application.
async function load(): Promise<X509> {
	if ('getMetadata' in Reflect) return import('@peculiar/x509');
	const names = ['getMetadata', 'getOwnMetadata'];
	const none = () => undefined;
	for (const name of names) {
		Object.defineProperty(Reflect, name, {value: none, configurable: true, writable: true});
	}
	try {
		return await import('@peculiar/x509');
	} finally {
		for (const name of names) {
			// The application may have loaded the true polyfill in the meantime.
			if (Reflect.get(Reflect, name) === none) Reflect.deleteProperty(Reflect, name);
		}
	}
}
