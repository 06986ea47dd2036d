/** What the application says. */
export function greeting(name) {
  return `hello, ${name}`
}
