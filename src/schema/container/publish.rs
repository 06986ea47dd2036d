//! Images of containers: published, exported, as files, and read from files.

use crate::{
    graph::{ImageFormat, ImageMediaTypes, LayerCompression, Op, Vertex},
    ops::Reach,
    schema::{
        Ctx,
        api::Api,
        file::exported,
        gql::{Args, FieldError, Registry},
        object::{ContainerRef, FileRef, ServiceRef},
        shared::{CommonArgs, Field, Made},
    },
};
use std::sync::Arc;

pub(super) fn declare(registry: &mut Registry<Api>) {
    enums(registry);
    let mut container = registry.object::<ContainerRef>("Container");
    container
        .field("publish", "String!", |f| {
            f.doc("Puts the container's image into a registry; returns its name with the digest.")
                .arg(
                    "address: String!",
                    "Name to publish under, such as `ghcr.io/org/app:1.2`.",
                )
                .image_args()
                .registry_args()
                .resolve_async(|ctx, this, args| async move {
                    let engine = ctx.backend().engine();
                    let image = engine.image(&all(&ctx, &this, &args)?, format(&args)?).await?;
                    let address: String = args.get("address")?;
                    reach(&ctx, &address, &args).await?;
                    Ok(engine.world().publish(&image, &address).await?)
                })
        })
        .field("export", "String!", |f| {
            f.doc("Writes the container's image to the client's host as an archive; returns the absolute path.")
                .arg(
                    "path: String!",
                    "Destination; relative to the client's working directory.",
                )
                .image_args()
                .expand()
                .resolve_async(|ctx, this, args| async move {
                    let api = ctx.backend();
                    let engine = api.engine();
                    let mut path: String = args.get("path")?;
                    if args.flag("expand") {
                        let container = engine.container(&this.0).await?;
                        path = engine.world().expanded(&path, &container);
                    }
                    let host = api.host_path(ctx.client(), &path)?;
                    let image = engine.image(&all(&ctx, &this, &args)?, format(&args)?).await?;
                    let done = engine.world().export_image(&image, &host, None).await?;
                    Ok(exported(&ctx, done))
                })
        })
        .field("exportImage", "Void", |f| {
            f.doc("Loads the container's image into the docker, podman, nerdctl or finch of the client's host.")
                .arg("name: String!", "Name of the image there.")
                .image_args()
                .resolve_async(|ctx, this, args| async move {
                    let api = ctx.backend();
                    // Only who has a host may change it.
                    api.host_path(ctx.client(), ".")?;
                    let engine = api.engine();
                    let image = engine.image(&all(&ctx, &this, &args)?, format(&args)?).await?;
                    let name: String = args.get("name")?;
                    engine.world().load_image(&image, &name).await?;
                    Ok(())
                })
        })
        .field("asTarball", "File!", |f| {
            f.doc("The container's image as an archive.")
                .image_args()
                .resolve(|ctx, this, args| {
                    let op = Op::Tarball(format(args)?);
                    Ok(FileRef(Vertex::new(op, all(ctx, this, args)?)))
                })
        })
        .field("manifest", "File!", |f| {
            f.doc("The manifest that the container's image would be published with.")
                .packing()
                .resolve(|_, this, args| {
                    let op = Op::Manifest(format(args)?);
                    Ok(this.part::<FileRef>(op))
                })
        })
        .field("layer", "File!", |f| {
            f.doc("The blob of one layer of the container's image, as it would be published.")
                .arg("id: String!", "Digest of the blob, or of the layer before it was packed.")
                .packing()
                .resolve(|_, this, args| {
                    let (id, format) = (args.get("id")?, format(args)?);
                    Ok(this.part::<FileRef>(Op::Layer { id, format }))
                })
        })
        .field("import", "Container!", |f| {
            f.doc("The container with the files and configuration of an image in an archive.")
                .arg("source: FileID!", "The archive: an OCI layout, or what `docker save` writes.")
                .arg(
                    "tag: String = \"\"",
                    "Name or tag of the image, if the archive holds several.",
                )
                .resolve(|ctx, this, args| {
                    let source: FileRef = ctx.object(args, "source")?;
                    let tag = args.get("tag")?;
                    Ok(this.then(Op::Import { tag }, [source.0]))
                })
        });
}

fn enums(registry: &mut Registry<Api>) {
    let mut compression = registry.enumeration("ImageLayerCompression");
    compression.doc("How layers of an image are packed.");
    for (name, doc) in [
        ("Gzip", "gzip."),
        ("Zstd", "Zstandard."),
        ("EStarGZ", "eStargz; not supported."),
        ("Uncompressed", "Not packed."),
        ("GZIP", "gzip."),
        ("ZSTD", "Zstandard."),
        ("ESTARGZ", "eStargz; not supported."),
        ("UNCOMPRESSED", "Not packed."),
    ] {
        compression.value(name, doc);
    }
    let mut types = registry.enumeration("ImageMediaTypes");
    types.doc("Whose names the parts of an image have.");
    for (name, doc) in [
        ("OCIMediaTypes", "Those of the Open Container Initiative."),
        ("DockerMediaTypes", "Docker's."),
        ("OCI", "Those of the Open Container Initiative."),
        ("DOCKER", "Docker's."),
    ] {
        types.value(name, doc);
    }
    let mut protocol = registry.enumeration("RegistryProtocol");
    protocol.doc("How to speak to a registry.");
    protocol
        .value("HTTPS", "With TLS.")
        .value("HTTP", "Without.");
}

/// Arguments of every field that makes an image.
trait ImageArgs {
    /// For an image of one container or several.
    fn image_args(self) -> Self;
    /// How layers are packed and what parts are called.
    fn packing(self) -> Self;
}

impl ImageArgs for Field<ContainerRef> {
    fn image_args(self) -> Self {
        self.arg(
            "platformVariants: [ContainerID!] = []",
            "Containers for other platforms, to be part of the same image.",
        )
        .packing()
    }

    fn packing(self) -> Self {
        self.arg(
            "forcedCompression: ImageLayerCompression",
            "Pack every layer so; otherwise those of images stay as they are and others are gzip.",
        )
        .arg(
            "mediaTypes: ImageMediaTypes = OCIMediaTypes",
            "Whose names the parts of the image have.",
        )
    }
}

/// Arguments of fields that speak to a registry.
pub(super) trait RegistryArgs {
    fn registry_args(self) -> Self;
}

impl RegistryArgs for Field<ContainerRef> {
    fn registry_args(self) -> Self {
        self.arg(
            "registryService: ServiceID",
            "The service that the registry is; the session reaches it so from then on, in plain HTTP unless told otherwise.",
        )
        .arg("protocol: RegistryProtocol", "How to speak to the registry.")
        .arg(
            "insecureSkipTLSVerify: Boolean = false",
            "Do not check the registry's certificate.",
        )
    }
}

/// Reaches the registry of an address as the arguments of [`RegistryArgs`] say, from now on.
pub(super) async fn reach(ctx: &Ctx, address: &str, args: &Args) -> Result<(), FieldError> {
    let reach = Reach {
        plain_http: args.str("protocol").map(|protocol| protocol == "HTTP"),
        insecure: args.flag("insecureSkipTLSVerify"),
    };
    let engine = ctx.backend().engine();
    let service: Option<ServiceRef> = ctx.optional_object(args, "registryService")?;
    let service = match service {
        Some(service) => Some(engine.service(&service.0).await?),
        None => None,
    };
    if service.is_some() || reach != Reach::default() {
        let world = engine.world();
        world
            .route_registry(address, service.as_ref(), reach)
            .await?;
    }
    Ok(())
}

/// The container and its variants.
fn all(ctx: &Ctx, this: &ContainerRef, args: &Args) -> Result<Vec<Arc<Vertex>>, FieldError> {
    let variants: Vec<ContainerRef> = ctx.objects(args, "platformVariants")?;
    let variants = variants.into_iter().map(|variant| variant.0);
    Ok(std::iter::once(Arc::clone(&this.0))
        .chain(variants)
        .collect())
}

fn format(args: &Args) -> Result<ImageFormat, FieldError> {
    let compression = match args.str("forcedCompression") {
        None => None,
        Some("Gzip" | "GZIP") => Some(LayerCompression::Gzip),
        Some("Zstd" | "ZSTD") => Some(LayerCompression::Zstd),
        Some("Uncompressed" | "UNCOMPRESSED") => Some(LayerCompression::None),
        Some(other) => {
            return Err(FieldError::new(format!(
                "layer compression {other} is not supported: eStargz needs a table of contents that \
                 nsci does not write\nhint: use Gzip or Zstd, or leave forcedCompression out"
            )));
        }
    };
    let media_types = match args.str("mediaTypes") {
        Some("DockerMediaTypes" | "DOCKER") => ImageMediaTypes::Docker,
        _ => ImageMediaTypes::Oci,
    };
    Ok(ImageFormat {
        compression,
        media_types,
    })
}
