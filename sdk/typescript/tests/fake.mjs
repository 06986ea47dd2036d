// A session that notes what it is asked and answers what the test says.

import { createServer } from "node:http"

/** Starts one; `answer` makes the data of a query, or throws the errors it is answered with. */
export async function fakeSession(answer, chunked = false) {
  const asked = []
  let connections = 0
  const server = createServer((request, response) => {
    let body = ""
    request.on("data", (piece) => (body += piece))
    request.on("end", () => {
      const { query } = JSON.parse(body)
      asked.push(query)
      const credentials = Buffer.from(request.headers.authorization.slice(6), "base64").toString()
      if (credentials !== "token:") {
        response.writeHead(401).end()
        return
      }
      let text
      try {
        text = JSON.stringify({ data: answer(query) })
      } catch (errors) {
        text = JSON.stringify({ errors })
      }
      if (chunked) {
        // Pieces of one byte show that nothing depends on how the answer is cut.
        for (const c of Buffer.from(text)) {
          response.write(Buffer.from([c]))
        }
        response.end()
      } else {
        response.setHeader("content-length", Buffer.byteLength(text))
        response.end(text)
      }
    })
  })
  server.on("connection", () => connections++)
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve))
  const port = server.address().port
  const env = { DAGGER_SESSION_PORT: String(port), DAGGER_SESSION_TOKEN: "token" }
  return {
    asked,
    env,
    port,
    connections: () => connections,
    stop: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** The data of a chain that ends in a value. */
export function nested(path, value) {
  return path.reduceRight((inner, name) => ({ [name]: inner }), value)
}
