/** The value of an `Authorization` header for `user:password` (RFC 7617). */
export function basicAuthorization(credentials: string): string {
	return `Basic ${Buffer.from(credentials, 'utf8').toString('base64')}`;
}
