import './runtime/check-runtime.ts';

export {createAdapter, createClient, withMtls} from './client/create-client.ts';
export type {MtlsStats} from './client/stats.ts';
export type {CookielessConfig, MtlsClient, MtlsHandle, MtlsRequestConfig} from './client/types.ts';
export type {MtlsAgentOptions} from './connection/mtls-agent.ts';
export {MtlsAgent} from './connection/mtls-agent.ts';
export type {CookieFileErrorCode} from './cookies/file/cookie-file-error.ts';
export {CookieFileError} from './cookies/file/cookie-file-error.ts';
export type {FileJar, FileJarOptions} from './cookies/file/file-jar.ts';
export {fileJar} from './cookies/file/file-jar.ts';
export {CookieJar} from './cookies/jar.ts';
export type {ConfigErrorCode, MtlsErrorInit} from './errors.ts';
export {isMtlsError, MtlsConfigError, MtlsError} from './errors.ts';
export type {
	CertificateFacts,
	ConnectionFacts,
	FailureKind,
	FailurePhase,
	FailureSide,
	MtlsFailure,
} from './facts.ts';
export type {
	FailureEvent,
	HandshakeEvent,
	IdentityEvent,
	LoginEvent,
	MtlsEvents,
} from './logging/diagnostics-channel.ts';
export {logFailures} from './logging/log-failures.ts';
export type {
	IdentityLoader,
	IdentityMaterial,
	MtlsOptions,
	ProxyTlsOptions,
	Source,
} from './options/mtls.ts';
export type {
	AdapterOptions,
	ClientConfig,
	ClientOptions,
	CookieOptions,
	CookieRefusal,
	Logger,
	ProxyOptions,
	ProxySetting,
	SessionClient,
	SessionError,
	SessionOptions,
	Timeouts,
} from './options.ts';
