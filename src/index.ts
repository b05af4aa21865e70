export type {CookielessConfig, MtlsClient, MtlsHandle, MtlsRequestConfig} from './client.ts';
export {createAdapter, createClient, withMtls} from './create.ts';
export type {ConfigErrorCode, MtlsErrorInit} from './errors.ts';
export {isMtlsError, MtlsConfigError, MtlsError} from './errors.ts';
export type {
	FailureEvent,
	HandshakeEvent,
	IdentityEvent,
	LoginEvent,
	MtlsEvents,
} from './events.ts';
export type {
	CertificateFacts,
	ConnectionFacts,
	FailureKind,
	FailurePhase,
	FailureSide,
	MtlsFailure,
} from './facts.ts';
export {CookieJar} from './http/cookies.ts';
export type {CookieFileErrorCode} from './jar/cookie-file-error.ts';
export {CookieFileError} from './jar/cookie-file-error.ts';
export type {FileJar} from './jar/file-jar.ts';
export {fileJar} from './jar/file-jar.ts';
export type {FileJarOptions} from './jar/file-jar-options.ts';
export {logFailures} from './log/interceptors.ts';
export {MtlsAgent} from './net/agent.ts';
export type {MtlsAgentOptions} from './net/agent-options.ts';
export type {MtlsStats} from './net/stats.ts';
export type {
	AdapterOptions,
	ClientConfig,
	ClientOptions,
	CookieOptions,
	CookieRefusal,
	IdentityLoader,
	IdentityMaterial,
	Logger,
	MtlsOptions,
	ProxyOptions,
	ProxySetting,
	ProxyTlsOptions,
	SessionClient,
	SessionError,
	SessionOptions,
	Source,
	Timeouts,
} from './options.ts';
