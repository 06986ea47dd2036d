//! Vertices and the keys that name them.

use super::Op;
use nsci_snapshotter::LayerId;
use serde::{Deserialize, Serialize};
use std::{collections::HashMap, fmt, sync::Arc};

/// Hash that names something in the cache: 64 hexadecimal digits of blake3.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(String);

/// Names a vertex: the hash of its operation and of its inputs' names.
pub type VertexId = Key;

impl Key {
    /// Hashes the parts so that their boundaries count: `("ab", "c")` is not `("a", "bc")`.
    pub fn of<P: AsRef<[u8]>>(domain: &str, parts: impl IntoIterator<Item = P>) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in std::iter::once(domain.as_bytes().to_vec())
            .chain(parts.into_iter().map(|part| part.as_ref().to_vec()))
        {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(&part);
        }
        Self(hasher.finalize().to_hex().to_string())
    }

    /// The 64 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.get(..12).unwrap_or(&self.0))
    }
}

impl AsRef<[u8]> for Key {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// Hashes plain data by its canonical JSON.
pub fn fingerprint<T: Serialize + ?Sized>(domain: &str, data: &T) -> Key {
    let json = serde_json::to_vec(data).expect("graph data has string keys and serialises");
    Key::of(domain, [json])
}

/// One call: an operation and the vertices it builds on.
pub struct Vertex {
    id: VertexId,
    op: Op,
    inputs: Vec<Arc<Self>>,
}

impl Vertex {
    /// Makes the vertex and names it.
    pub fn new(op: Op, inputs: Vec<Arc<Self>>) -> Arc<Self> {
        let own = fingerprint("op", &op);
        let id = Key::of(
            "vertex",
            std::iter::once(&own).chain(inputs.iter().map(|i| &i.id)),
        );
        Arc::new(Self { id, op, inputs })
    }

    /// The name.
    pub fn id(&self) -> &VertexId {
        &self.id
    }

    /// What the call asks for.
    pub fn op(&self) -> &Op {
        &self.op
    }

    /// What it builds on; the first is the receiver of the call.
    pub fn inputs(&self) -> &[Arc<Self>] {
        &self.inputs
    }
}

impl fmt::Debug for Vertex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}:{:?}", self.id, self.op)
    }
}

impl Drop for Vertex {
    /// Takes long chains apart in a loop; the derived drop would recurse once per call.
    fn drop(&mut self) {
        let mut rest = std::mem::take(&mut self.inputs);
        while let Some(vertex) = rest.pop() {
            if let Some(mut vertex) = Arc::into_inner(vertex) {
                rest.append(&mut vertex.inputs);
            }
        }
    }
}

/// A vertex and everything below it as plain data, inputs before their users.
///
/// This is how an object outlives its session: a cached function result carries the graph of
/// each object that it names.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Graph {
    nodes: Vec<Node>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Node {
    op: Op,
    inputs: Vec<usize>,
}

impl Graph {
    /// Writes down `root` and all it builds on, each vertex once.
    pub fn from_vertex(root: &Arc<Vertex>) -> Self {
        let mut index: HashMap<VertexId, usize> = HashMap::new();
        let mut nodes = Vec::new();
        let mut stack = vec![(Arc::clone(root), false)];
        while let Some((vertex, ready)) = stack.pop() {
            if index.contains_key(vertex.id()) {
                continue;
            }
            if ready {
                let inputs = vertex
                    .inputs
                    .iter()
                    .map(|input| index[input.id()])
                    .collect();
                index.insert(vertex.id.clone(), nodes.len());
                nodes.push(Node {
                    op: vertex.op.clone(),
                    inputs,
                });
            } else {
                stack.push((Arc::clone(&vertex), true));
                stack.extend(vertex.inputs.iter().map(|input| (Arc::clone(input), false)));
            }
        }
        Self { nodes }
    }

    /// The layers that it names itself, which nothing in it makes.
    pub fn captured(&self) -> impl Iterator<Item = &LayerId> {
        self.nodes
            .iter()
            .filter_map(|node| match &node.op {
                Op::Captured { snapshot, .. } => Some(&snapshot.layers),
                _ => None,
            })
            .flatten()
    }

    /// Builds the vertices again; `None` if the data does not describe a graph.
    pub fn to_vertex(&self) -> Option<Arc<Vertex>> {
        let mut built: Vec<Arc<Vertex>> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let inputs = node
                .inputs
                .iter()
                .map(|&i| built.get(i).cloned())
                .collect::<Option<Vec<_>>>()?;
            built.push(Vertex::new(node.op.clone(), inputs));
        }
        built.pop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Configure, Op};

    fn env(n: usize, input: Arc<Vertex>) -> Arc<Vertex> {
        let configure = Configure::Env {
            name: "N".into(),
            value: n.to_string(),
            expand: false,
        };
        Vertex::new(Op::Configure(configure), vec![input])
    }

    fn scratch() -> Arc<Vertex> {
        Vertex::new(
            Op::Scratch {
                platform: "linux/amd64".into(),
            },
            vec![],
        )
    }

    #[test]
    fn same_calls_have_the_same_name() {
        assert_eq!(env(1, scratch()).id(), env(1, scratch()).id());
        assert_ne!(env(1, scratch()).id(), env(2, scratch()).id());
    }

    #[test]
    fn part_boundaries_count() {
        assert_ne!(Key::of("d", ["ab", "c"]), Key::of("d", ["a", "bc"]));
        assert_ne!(Key::of("d", ["a"]), Key::of("e", ["a"]));
    }

    #[test]
    fn graph_survives_being_written_down() {
        let shared = env(1, scratch());
        let root = Vertex::new(Op::WithRootfs, vec![env(2, Arc::clone(&shared)), shared]);
        let json = serde_json::to_string(&Graph::from_vertex(&root)).unwrap();
        let back: Graph = serde_json::from_str(&json).unwrap();
        assert_eq!(back.to_vertex().unwrap().id(), root.id());
        assert_eq!(back.nodes.len(), 4);
    }

    #[test]
    fn very_long_chain_drops_without_recursion() {
        let chain = (0..200_000).fold(scratch(), |input, n| env(n, input));
        drop(chain);
    }
}
