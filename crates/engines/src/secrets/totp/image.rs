//! The image of an address: a QR code (ISO/IEC 18004) as PNG in base64, for people to point their telephone at.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::Fault;
use engine::crypto::Zeroizing;
use qrcode::{Color, EcLevel, QrCode};

/// Most pixels of a side.
pub(super) const QR_SIZE_MAX: u32 = 2000;
/// Modules of the white border that readers need (ISO/IEC 18004 section 9.1).
const BORDER: usize = 4;

/// A square image with so many pixels a side: each module is as many whole pixels as fit, and what is left is border.
pub(super) fn barcode(address: &str, pixels: u32) -> Result<Zeroizing<String>, Fault> {
    let code = QrCode::with_error_correction_level(address, EcLevel::M)
        .map_err(|_| Fault::invalid("the key is too long for a barcode: set qr_size to 0"))?;
    let side = usize::try_from(pixels).unwrap_or_default();
    let scale = side / (code.width() + 2 * BORDER);
    if scale == 0 {
        return Err(Fault::invalid("the qr_size value is too small for the barcode of this key"));
    }
    let modules = code.to_colors();
    let start = (side - code.width() * scale) / 2;
    // One byte a pixel, black where the module is dark.
    let module = |at: usize| at.checked_sub(start).map(|at| at / scale).filter(|at| *at < code.width());
    let mut image = Zeroizing::new(Vec::with_capacity(side * side));
    for y in 0..side {
        for x in 0..side {
            let found = module(x).zip(module(y)).and_then(|(x, y)| modules.get(y * code.width() + x));
            image.push(if found == Some(&Color::Dark) { 0 } else { 0xff });
        }
    }
    let mut bytes = Zeroizing::new(Vec::new());
    written(&mut bytes, pixels, &image).map_err(|_| Fault::internal("an image could not be written"))?;
    Ok(Zeroizing::new(STANDARD.encode(bytes.as_slice())))
}

fn written(bytes: &mut Vec<u8>, pixels: u32, image: &[u8]) -> Result<(), png::EncodingError> {
    let mut encoder = png::Encoder::new(bytes, pixels, pixels);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header()?.write_image_data(image)
}
