//! `nsci image`: images by name, without a pipeline around them.

use std::sync::Arc;

use nsci::ops::{NamedImage, World};
use nsci::source::Platform;
use serde_json::{Value, json};

use crate::app::App;
use crate::args::ImageVerb;
use crate::output::{Output, pretty};
use crate::report::Failure;
use crate::ui::text::bytes;

/// Does what was asked for.
///
/// # Errors
/// Images that are not there, registries that refuse, files that cannot be read or written.
pub(super) async fn image(app: Arc<App>, verb: ImageVerb) -> Result<Output, Failure> {
    let engine = app.engine().await?;
    let world = engine.session.world();
    let workdir = &app.settings.workdir;
    match verb {
        ImageVerb::Help => Ok(Output::default()),
        ImageVerb::List { json } => list(world, json),
        ImageVerb::Pull { images, platform } => {
            let platform = named(platform)?;
            let mut text = String::new();
            for image in images {
                let pulled = world.pull_image(&image, &platform).await?;
                text += &format!("{}@{}\n", pulled.name, pulled.digest);
            }
            Ok(Output::text(text))
        }
        ImageVerb::Push {
            image,
            target,
            platform,
        } => {
            let platform = named(platform)?;
            let pushed = world.push_image(&image, &platform, target.as_deref());
            Ok(Output::text(pushed.await? + "\n"))
        }
        ImageVerb::Import {
            source,
            name,
            tag,
            platform,
        } => {
            let platform = named(platform)?;
            let host = |path: &str| workdir.join(path);
            let imported = world.import_image(&source, host, &tag, name.as_deref(), &platform);
            let imported = imported.await?;
            Ok(Output::text(format!(
                "{}@{}\n",
                imported.name, imported.digest
            )))
        }
        ImageVerb::Export {
            image,
            file,
            platform,
        } => {
            let platform = named(platform)?;
            let path = workdir.join(&file);
            world.save_image(&image, &platform, &path).await?;
            Ok(Output {
                text: String::new(),
                remark: format!("Saved to \"{file}\"."),
            })
        }
        ImageVerb::Remove { images } => {
            for image in &images {
                if !world.remove_image(image)? {
                    return Err(Failure::failed(format!("no image {image} is known"))
                        .hint("nsci image ls lists them"));
                }
            }
            Ok(Output {
                text: String::new(),
                remark: "nsci cache prune gives back the space of what nothing else needs".into(),
            })
        }
    }
}

/// The platform in its normal form, the host's by default.
fn named(platform: Option<String>) -> Result<String, Failure> {
    let platform = match platform {
        None => Platform::host(),
        Some(text) => text
            .parse()
            .map_err(|error: nsci::source::Error| Failure::usage(error.to_string()))?,
    };
    Ok(platform.to_string())
}

fn list(world: &World, as_json: bool) -> Result<Output, Failure> {
    let images = world.named_images()?;
    let rows: Vec<(NamedImage, (usize, usize))> = images
        .into_iter()
        .map(|image| {
            let kept = world.kept_blobs(&image);
            (image, kept)
        })
        .collect();
    Ok(Output::text(if as_json {
        pretty(&rows.iter().map(row_json).collect::<Value>())
    } else {
        table(&rows)
    }))
}

fn row_json((image, (kept, all)): &(NamedImage, (usize, usize))) -> Value {
    json!({
        "name": image.name,
        "platform": image.platform,
        "digest": image.digest,
        "manifest": image.manifest,
        "size": image.size,
        "blobs": all,
        "kept": kept,
    })
}

fn table(rows: &[(NamedImage, (usize, usize))]) -> String {
    let width = |len: &dyn Fn(&NamedImage) -> usize, least: usize| {
        rows.iter()
            .map(|(image, _)| len(image))
            .max()
            .unwrap_or(0)
            .max(least)
    };
    let name = width(&|image| image.name.len(), 5);
    let platform = width(&|image| image.platform.len(), 8);
    let mut out = format!(
        "{:name$}  {:platform$}  {:19}  {:>9}  BLOBS\n",
        "IMAGE", "PLATFORM", "DIGEST", "SIZE"
    );
    for (image, (kept, all)) in rows {
        let digest: String = image.digest.chars().take(19).collect();
        out += &format!(
            "{:name$}  {:platform$}  {digest}  {:>9}  {kept} of {all}\n",
            image.name,
            image.platform,
            bytes(image.size)
        );
    }
    out
}
