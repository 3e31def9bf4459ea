import ts from "typescript";

/** A field of an interface of args, as its doc comment describes it. */
export interface ArgDoc {
    readonly name: string;
    /** Without default and example. */
    readonly meaning: string;
    /** As JSON or JavaScript, in backquotes where it is a value; undefined where it is required. */
    readonly standard: string | undefined;
    readonly example: string | undefined;
    /** Name of the interface that the field's value has, alone or in a list. */
    readonly type: string | undefined;
}

/** The fields of every interface of a TypeScript source, by the interface's name. */
export function argDocs(source: string): ReadonlyMap<string, readonly ArgDoc[]> {
    const file = ts.createSourceFile("args.ts", source, ts.ScriptTarget.ESNext, true);
    return new Map(
        file.statements
            .filter(ts.isInterfaceDeclaration)
            .map((declaration) => [
                declaration.name.text,
                declaration.members.filter(ts.isPropertySignature).map(describe),
            ]),
    );
}

function describe(member: ts.PropertySignature): ArgDoc {
    const text = ts
        .getJSDocCommentsAndTags(member)
        .map(({ comment }) => ts.getTextOfJSDocComment(comment) ?? "")
        .join(" ")
        .replace(/\s+/g, " ");
    const [, meaning = text, standard] = /^(.*?)\s*(?:Default: (.*?)|Required)\.(?= Example:|$)/.exec(text) ?? [];
    const example = /Example: (.*?)\.?$/.exec(text)?.[1];
    const type = member.type?.getText().match(/\b(\w+Args)\b/)?.[1];
    return { name: member.name.getText(), meaning: meaning.trim(), standard, example, type };
}
