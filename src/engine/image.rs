//! Images of containers.

use super::Engine;
use crate::{
    error::Result,
    graph::{Container, ImageFormat, Vertex},
    ops::ExportedImage,
};
use futures_util::future::try_join_all;
use std::sync::Arc;

impl Engine {
    /// The image of the first container, and of the others for as many platforms.
    ///
    /// An empty first container only lends its place to the others.
    ///
    /// # Errors
    /// If one of them fails, or they make no image.
    pub async fn image(
        &self,
        containers: &[Arc<Vertex>],
        format: ImageFormat,
    ) -> Result<ExportedImage> {
        let solved = containers.iter().map(|vertex| self.container(vertex));
        let mut solved: Vec<Container> = try_join_all(solved).await?;
        solved.retain(|container| !container.rootfs.layers.is_empty());
        self.world().image(&solved, format).await
    }
}
