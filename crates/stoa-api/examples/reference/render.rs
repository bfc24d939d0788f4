//! The reference as one Markdown page, from the descriptors and the comments that stand in them.

use std::{collections::HashMap, fmt::Write as _};

use prost::{DecodeError, Message as _};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
    FileDescriptorSet, ServiceDescriptorProto,
    field_descriptor_proto::{Label, Type},
};

/// The package whose files are shown.
const PACKAGE: &str = "stoa.control.v1";

const HEAD: &str = "\
# API reference

The package `stoa.control.v1`, made from the comments of [its files](../crates/stoa-api/proto/stoa/control/v1) by
`cargo xtask docs`. How the parts go together: [signalling.md](signalling.md).
";

/// Where a thing stands in a descriptor (descriptor.proto, `SourceCodeInfo`).
mod place {
    pub(super) const SYNTAX: i32 = 12;
    pub(super) const MESSAGE: i32 = 4;
    pub(super) const ENUM: i32 = 5;
    pub(super) const SERVICE: i32 = 6;
    /// A message's field, an enumeration's value, a service's method.
    pub(super) const MEMBER: i32 = 2;
}

/// The page.
///
/// # Errors
/// If what the build has put into this crate are no descriptors.
pub(crate) fn markdown() -> Result<String, DecodeError> {
    let set = FileDescriptorSet::decode(stoa_api::v1::FILE_DESCRIPTOR_SET)?;
    let mut files: Vec<File<'_>> = set
        .file
        .iter()
        .filter(|file| file.package() == PACKAGE)
        .map(File::new)
        .collect();
    // What everybody begins with comes first.
    files.sort_by_key(|file| {
        let is_first = file.descriptor.name().ends_with("/rooms.proto");
        (!is_first, file.descriptor.name())
    });
    let mut page = HEAD.to_owned();
    for file in &files {
        file.render(&mut page);
    }
    Ok(page)
}

/// A file and its comments.
struct File<'a> {
    descriptor: &'a FileDescriptorProto,
    comments: HashMap<&'a [i32], &'a str>,
}

impl<'a> File<'a> {
    fn new(descriptor: &'a FileDescriptorProto) -> Self {
        let info = descriptor.source_code_info.iter();
        let locations = info.flat_map(|info| &info.location);
        let comments = locations
            .filter_map(|place| Some((&*place.path, place.leading_comments.as_deref()?)))
            .collect();
        Self {
            descriptor,
            comments,
        }
    }

    /// A comment as it stands there, without the space that each line begins with.
    fn comment(&self, path: &[i32]) -> String {
        let text = self.comments.get(path).copied().unwrap_or_default();
        let lines = text
            .lines()
            .map(|line| line.strip_prefix(' ').unwrap_or(line));
        lines.collect::<Vec<_>>().join("\n").trim().to_owned()
    }

    /// The same for a cell of a table.
    fn cell(&self, path: &[i32]) -> String {
        let text = self.comment(path).replace('|', "\\|");
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn render(&self, page: &mut String) {
        let name = self.descriptor.name();
        let short = name.rsplit('/').next().unwrap_or(name);
        let about = self.comment(&[place::SYNTAX]);
        push(page, format_args!("\n## {short}\n\n{about}\n"));
        for (at, service) in (0..).zip(&self.descriptor.service) {
            self.service(page, at, service);
        }
        for (at, message) in (0..).zip(&self.descriptor.message_type) {
            self.message(page, at, message);
        }
        for (at, values) in (0..).zip(&self.descriptor.enum_type) {
            self.enumeration(page, at, values);
        }
    }

    fn service(&self, page: &mut String, at: i32, service: &ServiceDescriptorProto) {
        let about = self.comment(&[place::SERVICE, at]);
        push(
            page,
            format_args!("\n### Service {}\n\n{about}\n", service.name()),
        );
        for (number, method) in (0..).zip(&service.method) {
            let stream = if method.server_streaming() {
                "stream "
            } else {
                ""
            };
            let (asks, answers) = (link(method.input_type()), link(method.output_type()));
            let about = self.comment(&[place::SERVICE, at, place::MEMBER, number]);
            let name = method.name();
            push(
                page,
                format_args!("\n**{name}** ({asks}) → {stream}{answers}\n\n{about}\n"),
            );
        }
    }

    fn message(&self, page: &mut String, at: i32, message: &DescriptorProto) {
        let about = self.comment(&[place::MESSAGE, at]);
        push(page, format_args!("\n### {}\n\n{about}\n", message.name()));
        if !message.field.is_empty() {
            page.push_str("\n| field | type | |\n| --- | --- | --- |\n");
        }
        for (number, field) in (0..).zip(&message.field) {
            let what = self.cell(&[place::MESSAGE, at, place::MEMBER, number]);
            let (name, id, kind) = (field.name(), field.number(), kind(message, field));
            push(
                page,
                format_args!("| `{name}` = {id} | {kind} | {what} |\n"),
            );
        }
    }

    fn enumeration(&self, page: &mut String, at: i32, values: &EnumDescriptorProto) {
        let about = self.comment(&[place::ENUM, at]);
        push(page, format_args!("\n### {}\n\n{about}\n", values.name()));
        page.push_str("\n| value | |\n| --- | --- |\n");
        for (number, value) in (0..).zip(&values.value) {
            let what = self.cell(&[place::ENUM, at, place::MEMBER, number]);
            let (name, id) = (value.name(), value.number());
            push(page, format_args!("| `{name}` = {id} | {what} |\n"));
        }
    }
}

fn push(page: &mut String, text: std::fmt::Arguments<'_>) {
    // A string takes whatever is written.
    let _ = page.write_fmt(text);
}

/// A type's name, with a link where it is on this page.
fn link(full: &str) -> String {
    let name = full.trim_start_matches('.');
    match name.strip_prefix("stoa.control.v1.") {
        Some(own) => format!("[{own}](#{})", own.to_lowercase()),
        None => format!("`{name}`"),
    }
}

/// What a field is.
fn kind(message: &DescriptorProto, field: &FieldDescriptorProto) -> String {
    let entry = message.nested_type.iter().find(|nested| {
        let is_map = nested
            .options
            .as_ref()
            .is_some_and(|options| options.map_entry());
        is_map && field.type_name().ends_with(&format!(".{}", nested.name()))
    });
    if let Some([key, value]) = entry.map(|entry| &*entry.field) {
        return format!("map of {} to {}", single(key), single(value));
    }
    let single = single(field);
    let of = field
        .oneof_index
        .filter(|_| !field.proto3_optional())
        .and_then(|index| message.oneof_decl.get(usize::try_from(index).ok()?));
    match (field.label(), of) {
        (Label::Repeated, _) => format!("repeated {single}"),
        (_, Some(of)) => format!("{single}, one of `{}`", of.name()),
        _ if field.proto3_optional() => format!("optional {single}"),
        _ => single,
    }
}

fn single(field: &FieldDescriptorProto) -> String {
    match field.r#type() {
        Type::Message | Type::Enum => link(field.type_name()),
        // TYPE_UINT64 is written `uint64`.
        scalar => {
            let name = scalar.as_str_name();
            let name = name.strip_prefix("TYPE_").unwrap_or(name);
            format!("`{}`", name.to_lowercase())
        }
    }
}
