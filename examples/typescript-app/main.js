import { greeting } from "./app.js"

console.log(greeting(process.argv[2] ?? "you"))
