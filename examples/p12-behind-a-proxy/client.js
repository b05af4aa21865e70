import {createClient} from 'axios-mtls';

/** `env` holds the names of the files; HTTPS_PROXY and NO_PROXY are read by the client itself. */
export function createBank(env = process.env) {
	return createClient({
		mtls: {
			pfx: env.CLIENT_P12,
			passphrase: env.CLIENT_P12_PASSWORD,
			// Only this CA is trusted: a CA within the .p12 is not.
			ca: env.CA_FILE,
		},
		logger: false,
	});
}
