import type {ConnectionBounds, Logger, ProxySetting} from '../options.ts';
import {assertNoneMisplaced, misplacedOptions} from '../tls/tls-options.ts';
import {assertObject, flattened} from '../util/check-options.ts';

/** Options of `https.Agent` that do not decide about TLS, and the proxy. */
export interface MtlsAgentOptions extends ConnectionBounds {
	/** An HTTP proxy for all connections, or `false` for none. @defaultValue `HTTPS_PROXY` and `NO_PROXY` decide */
	proxy?: ProxySetting;
	/** Told what `verify: 'report'` lets go, and what is to be said of our certificate. @defaultValue `console` */
	logger?: Logger | false;
	/** Idle connections kept per origin. @defaultValue 256 */
	maxFreeSockets?: number;
	/** Of several `mtls`, how many are kept loaded. @defaultValue 1,000 */
	maxIdentities?: number;
}

const misplaced = misplacedOptions((name) => `belongs in the first argument: {${name}: …}`);

/**
 * Those of Node's agent are Node's to judge, but for what would decide about TLS.
 *
 * @throws {MtlsConfigError} for an option that belongs elsewhere.
 */
export function readAgentOptions(given: unknown): MtlsAgentOptions {
	assertObject(given, 'options');
	const options: object = flattened(given);
	assertNoneMisplaced(options, misplaced);
	return options;
}
