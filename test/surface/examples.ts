/** A block of code of a document. */
export interface Example {
	readonly language: string;
	/** Of its first line of code, counted from 1. */
	readonly line: number;
	readonly code: string;
	/** Why it cannot be run. */
	readonly skip?: string;
}

const fence = /(?:^<!-- test: (\w+)([^>]*) -->\n+)?^```(\w+)\n([\s\S]*?)^```$/gm;

/** The blocks of a Markdown text in some languages, one that continues another as part of it. */
export function examplesOf(markdown: string, languages: readonly string[] = ['ts']): Example[] {
	const examples: Example[] = [];
	for (const {0: whole, 1: word, 2: rest = '', ...found} of markdown.matchAll(fence)) {
		const {3: language = '', 4: code = '', index} = found;
		if (!languages.includes(language)) continue;
		const line = markdown.slice(0, index + whole.indexOf('```')).split('\n').length + 1;
		const last = examples.at(-1);
		if (word === undefined) examples.push({language, line, code});
		else if (word === 'skip' && rest.trim()) {
			examples.push({language, line, code, skip: rest.trim()});
		} else if (word === 'continues' && last !== undefined) {
			examples.splice(-1, 1, {...last, code: `${last.code}\n${code}`});
		} else throw new Error(`line ${line}: no such direction: <!-- test: ${word}${rest} -->`);
	}
	return examples;
}

/** How a line says what it prints: by the comment behind it. */
const prints: Readonly<Record<string, RegExp>> = {
	ts: /console\.log\(.*\);\s*\/\/ (.+)$/,
	js: /console\.log\(.*\);\s*\/\/ (.+)$/,
	py: /print\(.*\)\s+# (.+)$/,
	sh: /\S # (.+)$/,
};

/** What an example says it prints, in its order. */
export function saidToPrint({language, code}: Pick<Example, 'language' | 'code'>): string[] {
	return code.split('\n').flatMap((line) => {
		const comment = prints[language]?.exec(line)?.[1];
		return comment === undefined ? [] : [comment];
	});
}
