/** Text that sets these variables in bash: a list becomes an array. */
export function shellVariables(variables: Readonly<Record<string, string | readonly string[]>>): string {
    return Object.entries(variables)
        .map(
            ([name, value]) =>
                `${name}=${typeof value === "string" ? quote(value) : `(${value.map(quote).join(" ")})`}\n`,
        )
        .join("");
}

function quote(text: string): string {
    return `'${text.replaceAll("'", `'\\''`)}'`;
}
