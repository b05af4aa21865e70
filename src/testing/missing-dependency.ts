/** An optional dependency of this package is not installed, as after `npm install --omit=optional`. */
export class MissingDependencyError extends Error {
	readonly code = 'ERR_MTLS_MISSING_DEPENDENCY';

	/** @param cause - What `import` or `require` has thrown. */
	constructor(cause: unknown) {
		super(
			'axios-mtls/testing needs the optional dependencies @peculiar/x509 and reflect-metadata, which are not both installed: run `npm install @peculiar/x509 reflect-metadata`',
			{cause},
		);
		this.name = 'MissingDependencyError';
	}
}
