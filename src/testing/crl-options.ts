// In a file of its own, because the types of @peculiar/x509 in crl.ts need those of a browser.
export interface CrlOptions {
	/** The certificates to revoke, PEM; of a chain the first. */
	revoked?: readonly string[];
	/** A list that should have been replaced yesterday. */
	expired?: boolean;
}
