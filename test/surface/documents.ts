import {globSync, readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** A Markdown file of the repository. */
export interface Document {
	/** From the root: `docs/cookies.md`. */
	readonly path: string;
	readonly text: string;
}

/** What a user reads: the README, and all of docs/ with the guides. */
export const documents: readonly Document[] = ['README.md', 'docs/*.md', 'docs/migrating/*.md']
	.flatMap((pattern) => globSync(pattern, {cwd: root}).sort())
	.map((path) => path.replaceAll('\\', '/'))
	.map((path) => ({path, text: readFileSync(`${root}${path}`, 'utf8')}));

/** @throws where there is none. */
export function documentAt(path: string): Document {
	const found = documents.find((document) => document.path === path);
	if (found === undefined) throw new Error(`there is no ${path}`);
	return found;
}

const fences = /^```[\s\S]*?^```$/gm;

/** The targets of its links and pictures, with the line of each. */
export function linksOf({text}: Document): {target: string; line: number}[] {
	const prose = text.replaceAll(fences, (block) => block.replaceAll(/[^\n]/g, ' '));
	return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(({1: target = '', index}) => ({
		target,
		line: prose.slice(0, index).split('\n').length,
	}));
}

/** The anchors of its headings, as code hosts make them. */
export function anchorsOf({text}: Document): Set<string> {
	const headings = text.replaceAll(fences, '').matchAll(/^#+ (.+)$/gm);
	return new Set([...headings].map(([, heading = '']) => anchorOf(heading)));
}

function anchorOf(heading: string): string {
	return heading
		.toLowerCase()
		.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
		.replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
		.replaceAll(' ', '-');
}
