/**
 * A certificate authority and a server with client certificates, in process: for tests of code that
 * talks mutual TLS.
 *
 * @module
 */
import '../runtime/check-runtime.ts';

export type {RecordedCertificate, RecordedConnection} from './connection-log.ts';
export type {CrlOptions} from './crl-options.ts';
export type {KeyType} from './keys.ts';
export type {MissingDependencyError} from './missing-dependency.ts';
export {
	type CertificateAuthority,
	type CertificateOptions,
	type Credential,
	createTestPki,
	type IntermediateOptions,
	type TestPki,
	type TestPkiOptions,
} from './pki.ts';
export type {RecordedRequest} from './request-log.ts';
export {
	type MtlsServer,
	type MtlsServerOptions,
	type RequestHandler,
	startMtlsServer,
} from './server.ts';
export type {ValidityOptions} from './validity.ts';
