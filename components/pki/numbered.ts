/** A name with a number after it, but for that of the first one. */
export function numbered(name: string, number: number): string {
    return number === 1 ? name : `${name}-${number}`;
}

/**
 * Makes one of each number.
 *
 * @returns that of the first number given; and all in the order of the numbers, which stays while another one becomes the first.
 * @throws Error where there is no number.
 */
export function byNumber<T>(
    numbers: readonly number[],
    make: (number: number) => T,
): { readonly first: T; readonly all: readonly T[] } {
    const made = new Map([...numbers].sort((a, b) => a - b).map((number) => [number, make(number)] as const));
    const first = made.get(numbers[0] ?? NaN);
    if (first === undefined) {
        throw new Error("no number is given");
    }
    return { first, all: [...made.values()] };
}
