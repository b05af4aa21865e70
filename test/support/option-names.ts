/*
 * Every option that the public types name, read from the declarations by TypeScript itself.
 */
import {API, type Checker, type Symbol as Declared, type Type} from 'typescript/unstable/sync';

const root = new URL('../../', import.meta.url).pathname;

/** By entry point, the parameters that take options. */
const entries = ['src/index.ts', 'src/redis/index.ts'];

/** What has a state of its own rather than options, though it may be given as one. */
const noOptions =
	/^(HttpProgressEvent|AxiosHeaders|RawAxiosHeaders|RawAxiosRequestHeaders|HeadersDefaults|GenericAbortSignal|CancelToken\w*|AxiosInstance|Axios\w*Adapter|CookieJar|Store|RedisCommands|MtlsFailure|MtlsErrorInit|IAxiosRetryConfig\w*|\{ FormData.*)$/;

/** The names of all options, and what JavaScript could give for each. */
export function optionNames(): Map<string, unknown[]> {
	const api = new API({cwd: root});
	try {
		const project = api.updateSnapshot({openProject: `${root}tsconfig.json`}).getProjects()[0];
		if (project === undefined) throw new Error('no project');
		const walk = new Walk(project.checker);
		for (const path of entries) {
			const file = project.program.getSourceFile(root + path);
			const module = file && project.checker.getSymbolAtLocation(file);
			if (!module) throw new Error(`${path} is not there`);
			for (const name of project.checker.getExportsOfModule(module)) walk.visitExport(name);
		}
		return walk.found;
	} finally {
		api.close();
	}
}

class Walk {
	readonly found = new Map<string, unknown[]>();
	readonly #checker: Checker;
	readonly #seen = new Set<number>();

	constructor(checker: Checker) {
		this.#checker = checker;
	}

	visitExport(exported: Declared): void {
		const type = this.#checker.getTypeOfSymbol(this.#checker.getAliasedSymbol(exported));
		// Nobody but the package makes its errors, and a CookieJar is tough-cookie's.
		if (type === undefined || /Error$|^CookieJar$|^is/.test(exported.name)) return;
		for (const kind of [0, 1]) {
			for (const signature of this.#checker.getSignaturesOfType(type, kind)) {
				for (const parameter of signature.getParameters()) this.#visitParameter(parameter);
				const made = this.#checker.getReturnTypeOfSignature(signature);
				if (made !== undefined) this.#visitMethods(made);
			}
		}
	}

	/** What a client takes later: `create`, `get`, `mtls.close`. */
	#visitMethods(made: Type): void {
		for (const property of this.#checker.getPropertiesOfType(made)) {
			if (!['create', 'get', 'post', 'mtls', 'close', 'save'].includes(property.name)) continue;
			const type = this.#checker.getTypeOfSymbol(property);
			if (type === undefined) continue;
			for (const signature of this.#checker.getSignaturesOfType(type, 0)) {
				for (const parameter of signature.getParameters()) this.#visitParameter(parameter);
			}
			if (property.name === 'mtls') this.#visitMethods(type);
		}
	}

	#visitParameter(parameter: Declared): void {
		if (!/^(config|options|logger|mtls)$/.test(parameter.name)) return;
		const type = this.#checker.getTypeOfSymbol(parameter);
		if (type !== undefined) this.#visit(type);
	}

	#visit(type: Type): void {
		if (this.#seen.has(type.id)) return;
		this.#seen.add(type.id);
		const name = this.#checker.typeToString(type);
		if (noOptions.test(name) || primitive.test(name) || this.#checker.isArrayLikeType(type)) return;
		// A loader of `mtls.identity` gives options too.
		for (const signature of this.#checker.getSignaturesOfType(type, 0)) {
			const given = this.#checker.getReturnTypeOfSignature(signature);
			if (given !== undefined && /IdentityMaterial/.test(this.#checker.typeToString(given))) {
				this.#visitParts(given);
			}
		}
		this.#visitParts(type);
		if (!isOurs(type, name) || this.#checker.getSignaturesOfType(type, 0).length > 0) return;
		for (const property of this.#checker.getPropertiesOfType(type)) {
			const of = this.#checker.getTypeOfSymbol(property);
			if (of === undefined || property.name.startsWith('__')) continue;
			this.#add(property.name, this.#valuesOf(of));
			if (!data.test(property.name)) this.#visit(of);
		}
	}

	#visitParts(type: Type): void {
		for (const part of partsOf(type)) this.#visit(part);
	}

	#add(name: string, values: unknown[]): void {
		this.found.set(name, [...(this.found.get(name) ?? []), ...values]);
	}

	/** The literals that the type has, for `'report'` is what an attacker would say. */
	#valuesOf(type: Type): unknown[] {
		const text = this.#checker.typeToString(type);
		const literals = [...text.matchAll(/"([^"]+)"/g)].map(([, literal]) => literal);
		return [...literals, ...(/\bboolean\b|\btrue\b/.test(text) ? [true, false] : [])];
	}
}

// What is sent, and what is for `fetch` alone.
const data = /^(headers|fetchOptions)$/;

const primitive =
	/^(string|number|boolean|true|false|undefined|null|any|unknown|never|void|".*"|\d+)$/;

function partsOf(type: Type): readonly Type[] {
	return 'getTypes' in type && typeof type.getTypes === 'function' ? (type.getTypes() ?? []) : [];
}

// Declared here or in axios, as it is or with some left out; what Node and JavaScript have is no option.
function isOurs(type: Type, name: string): boolean {
	if (/^(Omit|Pick|Partial)</.test(name)) return true;
	const [declaration] = type.getSymbol()?.declarations ?? [];
	const path = String((declaration as {path?: unknown} | undefined)?.path ?? '');
	return /\/src\/|node_modules\/axios\//.test(path);
}
