//! Bytes of a file in, the manifest and the symbols out. Nothing is trusted yet: [`crate::verify`] follows.

use rtlwasm_abi::manifest::{Manifest, SCHEMA, Signal, Symbols};
use rtlwasm_abi::{ABI_MAJOR, FEATURES, MANIFEST_SECTION, SYMBOLS_SECTION};
use serde::de::DeserializeOwned;
use wasmparser::{Parser, Payload};

use crate::error::{LoadError, corrupt};

/// Features of which this host knows what to do: vector instructions and wide arithmetic are the engine's
/// business, the rest only add.
const SUPPORTED: [&str; 6] = [
    "simd",
    "wide-arithmetic",
    "trace",
    "force",
    "coverage",
    "loops",
];

/// What an artifact says of itself.
pub(crate) struct Sections {
    /// Its `signals` are all signals: the ports, then those of the symbols section.
    pub manifest: Manifest,
    /// How many of them are ports.
    pub ports: usize,
}

/// Finds and reads both custom sections, and refuses another ABI or unknown features.
pub(crate) fn read(wasm: &[u8]) -> Result<Sections, LoadError> {
    if !wasm.starts_with(b"\0asm") {
        return Err(LoadError::NotWasm);
    }
    let (manifest, symbols) = find(wasm)?;
    let manifest = manifest.ok_or(LoadError::NotArtifact)?;
    check_version(manifest)?;
    let mut manifest: Manifest = json(MANIFEST_SECTION, manifest)?;
    check_features(&manifest)?;
    let ports = manifest.signals.len();
    if let Some(symbols) = symbols {
        let Symbols { signals } = json(SYMBOLS_SECTION, symbols)?;
        manifest.signals.extend(signals);
    }
    if u32::try_from(manifest.signals.len()).is_err() {
        return Err(corrupt("signals", "there are more than 2^32"));
    }
    Ok(Sections { manifest, ports })
}

type Found<'a> = (Option<&'a [u8]>, Option<&'a [u8]>);

fn find(wasm: &[u8]) -> Result<Found<'_>, LoadError> {
    let (mut manifest, mut symbols) = (None, None);
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.map_err(|e| LoadError::Damaged {
            reason: e.to_string(),
        })?;
        if let Payload::CustomSection(section) = payload {
            match section.name() {
                MANIFEST_SECTION => manifest = Some(section.data()),
                SYMBOLS_SECTION => symbols = Some(section.data()),
                _ => {}
            }
        }
    }
    Ok((manifest, symbols))
}

fn json<T: DeserializeOwned>(section: &'static str, bytes: &[u8]) -> Result<T, LoadError> {
    serde_json::from_slice(bytes).map_err(|source| LoadError::Json { section, source })
}

/// Reads the version alone first: the rest of a manifest of another major may look different.
fn check_version(manifest: &[u8]) -> Result<(), LoadError> {
    #[derive(serde::Deserialize)]
    struct Version {
        abi: String,
        schema: u32,
    }
    let version: Version = json(MANIFEST_SECTION, manifest)?;
    let major = version
        .abi
        .split('.')
        .next()
        .and_then(|major| major.parse().ok());
    let found = match version.schema {
        SCHEMA if major == Some(ABI_MAJOR) => return Ok(()),
        SCHEMA => version.abi,
        schema => format!("{} with a manifest of schema {schema}", version.abi),
    };
    Err(LoadError::AbiVersion { found })
}

fn check_features(manifest: &Manifest) -> Result<(), LoadError> {
    // An unknown name may be of a bit from 32 up, which only adds; the control block's bits decide.
    let refused = |name: &&String| {
        FEATURES.iter().any(|f| f.name == name.as_str()) && !SUPPORTED.contains(&name.as_str())
    };
    match manifest.features.iter().find(refused) {
        Some(name) => Err(LoadError::Feature {
            feature: format!("feature `{name}`"),
        }),
        None => Ok(()),
    }
}

/// Refuses feature bits that change how memory is read and that this host does not know or have.
pub(crate) fn check_feature_bits(bits: u64) -> Result<(), LoadError> {
    for bit in (0..32).filter(|bit| bits >> bit & 1 == 1) {
        match FEATURES.iter().find(|feature| feature.bit == bit) {
            Some(feature) if SUPPORTED.contains(&feature.name) => {}
            Some(feature) => {
                return Err(LoadError::Feature {
                    feature: format!("feature `{}`", feature.name),
                });
            }
            None => {
                return Err(LoadError::Feature {
                    feature: format!("feature bit {bit}"),
                });
            }
        }
    }
    Ok(())
}

/// The signal whose place this one shares: itself, or the end of its chain of aliases.
pub(crate) fn resolve(signals: &[Signal], id: u32) -> Option<u32> {
    let mut at = id;
    // A chain longer than the list is a circle.
    for _ in 0..=signals.len() {
        match signals.get(at as usize)? {
            Signal {
                alias_of: Some(next),
                parts,
                ..
            } if parts.is_empty() => at = *next,
            _ => return Some(at),
        }
    }
    None
}
