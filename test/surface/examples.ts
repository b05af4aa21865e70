/** A TypeScript example of a document. */
export interface Example {
	/** Of its first line of code, counted from 1. */
	readonly line: number;
	readonly code: string;
	/** Why it cannot be run. */
	readonly skip?: string;
}

const fence = /(?:^<!-- test: (\w+)([^>]*) -->\n+)?^```ts\n([\s\S]*?)^```$/gm;

/** The `ts` blocks of a Markdown text, one that continues another as part of it. */
export function examplesOf(markdown: string): Example[] {
	const examples: Example[] = [];
	for (const {0: whole, 1: word, 2: rest = '', 3: code = '', index} of markdown.matchAll(fence)) {
		const line = markdown.slice(0, index + whole.indexOf('```ts')).split('\n').length + 1;
		const last = examples.at(-1);
		if (word === undefined) examples.push({line, code});
		else if (word === 'skip' && rest.trim()) examples.push({line, code, skip: rest.trim()});
		else if (word === 'continues' && last !== undefined) {
			examples.splice(-1, 1, {...last, code: `${last.code}\n${code}`});
		} else throw new Error(`line ${line}: no such direction: <!-- test: ${word}${rest} -->`);
	}
	return examples;
}

/** What an example says it prints: the comments behind `console.log(...)`, in their order. */
export function saidToPrint(code: string): string[] {
	return code.split('\n').flatMap((line) => {
		const comment = /console\.log\(.*\);\s*\/\/ (.+)$/.exec(line)?.[1];
		return comment === undefined ? [] : [comment];
	});
}
