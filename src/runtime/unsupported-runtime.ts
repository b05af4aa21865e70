/** What of `process.versions` says on what a program runs. */
export interface RuntimeVersions {
	readonly node?: string | undefined;
	readonly bun?: string | undefined;
	readonly deno?: string | undefined;
}

/**
 * Why the package does not run here; `undefined` where it does.
 *
 * Security: Bun and Deno say that they are a Node that would do, but have another TLS and, in the place
 * of undici, another client. What is promised about verification is tested on Node alone.
 */
export function unsupportedRuntime(versions: RuntimeVersions): string | undefined {
	const found = foundRuntime(versions);
	return found && `axios-mtls needs Node.js 22.19 or newer, but this is ${found}`;
}

function foundRuntime({node, bun, deno}: RuntimeVersions): string | undefined {
	if (bun !== undefined) return `Bun ${bun}`;
	if (deno !== undefined) return `Deno ${deno}`;
	if (node === undefined) return 'another runtime';
	const [major = 0, minor = 0] = node.split('.').map(Number);
	return major > 22 || (major === 22 && minor >= 19) ? undefined : `Node.js ${node}`;
}
