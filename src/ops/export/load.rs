//! Handing an image to the container tool of the host.

use std::fs::File;
use std::process::Stdio;

use super::ExportedImage;
use crate::error::{Error, Kind, Result};
use crate::exporter::archive::Layout;
use crate::ops::world::World;
use crate::source::Reference;

/// Tools that load archives from standard input, in the order they are tried.
const TOOLS: [&str; 4] = ["docker", "podman", "nerdctl", "finch"];

impl World {
    /// Loads an image into the first of the host's container tools that takes it.
    ///
    /// # Errors
    /// If there is no such tool, or none takes it.
    pub async fn load_image(&self, image: &ExportedImage, name: &str) -> Result<()> {
        let name = Reference::parse(name).map_err(|error| Error::invalid(error.to_string()))?;
        if image.index.list.is_some() {
            return Err(
                Error::invalid("container tools take an image for one platform only")
                    .hint("leave out platformVariants, or use export or publish"),
            );
        }
        let archive = self
            .temporary_archive(image, Some(&name), Layout::Docker)
            .await?;
        let mut tried = Vec::new();
        for tool in TOOLS {
            let input = File::open(&archive.path)
                .map_err(|error| Error::caused(Kind::Host, "cannot read the store", error))?;
            let output = tokio::process::Command::new(tool)
                .arg("load")
                .stdin(Stdio::from(input))
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .kill_on_drop(true)
                .output()
                .await;
            match output {
                Ok(output) if output.status.success() => return Ok(()),
                Ok(output) => {
                    let said = String::from_utf8_lossy(&output.stderr);
                    tried.push(format!("{tool}: {}", said.trim()));
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => tried.push(format!("{tool}: {error}")),
            }
        }
        if tried.is_empty() {
            return Err(Error::new(
                Kind::Host,
                "no container tool was found to load the image into",
            )
            .hint("install docker, podman, nerdctl or finch, or use export or publish"));
        }
        Err(Error::new(
            Kind::Host,
            format!("cannot load image {name}:\n{}", tried.join("\n")),
        ))
    }
}
