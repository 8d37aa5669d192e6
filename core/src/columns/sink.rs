//! The events of items into columns: each finds its place in the tree, or is text, or has none.

use super::tree::{Builder, Fit, NONE, Node};
use super::{ColumnSink, Frame, Losses, MAX_UNWANTED};
use crate::event::{Kind, Refusal, Sink, Want};
use crate::format::json::encode::ValueEncoder;
use crate::name::Key;
use crate::number::Number;

impl ColumnSink {
    /// The next value is that of a member of the innermost map, unless it had one before.
    #[inline]
    fn enter(&mut self, child: u32) -> Option<Want> {
        let Some(Frame::Struct { row, last, .. }) = self.open.last_mut() else { return None };
        let found = &mut self.tree.nodes[child as usize];
        if found.seen == *row + 1 {
            return None;
        }
        found.seen = *row + 1;
        *last = child;
        self.unknown = None;
        self.current = child;
        self.row = *row;
        let want = found.builder.want();
        self.due = want == Want::Value;
        if found.first.block > self.block {
            self.sight();
        }
        Some(want)
    }

    /// A string wherever it stands.
    #[inline(never)]
    fn any_string(&mut self, value: &str) {
        if self.text.is_open() {
            return self.text.string(value);
        }
        if let Some(Frame::Set { member, next, .. }) = self.open.last_mut() {
            *next += 1;
            let (member, row) = (*member, *next - 1);
            if let Some(Builder::Text(b)) = self.tree.builder(member) {
                b.set(row, value.as_bytes());
            }
            return;
        }
        let (node, row, above) = self.place(Kind::S);
        match self.tree.builder(node) {
            Some(Builder::Text(b) | Builder::MixedText(b)) => b.set(row, value.as_bytes()),
            Some(Builder::Timestamp(b, timestamp)) => match timestamp.of_text(value) {
                Some(micros) => b.set(row, micros),
                None => return self.scalar_text(NONE, row, above, |text| text.string(value)),
            },
            _ => return self.scalar_text(node, row, above, |text| text.string(value)),
        }
        self.placed(above, row);
    }

    /// A number wherever it stands.
    #[inline(never)]
    fn any_number(&mut self, value: Number) {
        if self.text.is_open() {
            return self.text.number(value);
        }
        if let Some(Frame::Set { .. }) = self.open.last() {
            self.numbers.push(value);
            return;
        }
        let (node, row, above) = self.place(Kind::N);
        match self.tree.builder(node).map_or(Fit::None, |builder| builder.set_number(row, value)) {
            Fit::Exact => {}
            Fit::None => return self.scalar_text(node, row, above, |text| text.number(value)),
            fit => self.lost(fit, value),
        }
        self.placed(above, row);
    }
}

impl Sink for ColumnSink {
    fn begin_item(&mut self) {
        self.due = false;
        self.open.clear();
        self.text.clear();
        self.unknown = None;
        self.sighted.clear();
        self.unwanted.clear();
        self.unwanted.begin();
        self.open.push(Frame::Struct { node: NONE, row: self.rows, last: NONE });
    }

    fn commit_item(&mut self, bytes: usize) -> Result<(), Refusal> {
        if let Some(refusal) = self.refusal.take() {
            return Err(refusal);
        }
        if !self.extra.row.is_empty() {
            self.extra.row.push(b'}');
            self.extra.column.set(self.rows, &self.extra.row);
            self.extra.row.clear();
        }
        if !self.item_losses.is_empty() {
            self.losses.merge(std::mem::take(&mut self.item_losses));
        }
        self.rows += 1;
        self.sizes.push(bytes as u32);
        Ok(())
    }

    fn abort_item(&mut self) {
        self.refusal = None;
        self.extra.row.clear();
        self.item_losses = Losses::default();
        while let Some((node, before)) = self.sighted.pop() {
            self.tree.nodes[node as usize].first = before;
        }
        for at in 0..self.columns.len() {
            self.tree.truncate(self.columns[at], self.rows);
        }
        self.tree.forget_unwanted(self.rows);
    }

    fn attribute(&mut self, name: &str) -> Result<Want, Refusal> {
        if self.text.is_open() {
            self.unwanted.add(name)?;
            self.text.attribute(name);
            return Ok(Want::Value);
        }
        match self.open.last_mut() {
            Some(Frame::Struct { node, .. }) => {
                let is_root = *node == NONE;
                let child = if let Some(found) = self.tree.member(*node, name) {
                    found
                } else if self.chosen && is_root && self.tree.unwanted() < MAX_UNWANTED {
                    self.tree.add_unwanted(name)
                } else {
                    self.unwanted.add(name)?;
                    if self.chosen && is_root {
                        return Ok(Want::Nothing);
                    }
                    self.unknown = Some(name.to_owned());
                    self.current = NONE;
                    return Ok(Want::Value);
                };
                self.enter(child).ok_or_else(Refusal::duplicate)
            }
            Some(Frame::Map { node, value, entry, .. }) => {
                self.unwanted.add(name)?;
                self.current = *value;
                self.row = *entry;
                *entry += 1;
                if let Some(Node { builder: Builder::Map { keys, .. }, .. }) = self.tree.nodes.get_mut(*node as usize) {
                    keys.set(self.row, name.as_bytes());
                }
                Ok(Want::Value)
            }
            _ => Ok(Want::Nothing),
        }
    }

    #[inline]
    fn known(&mut self, name: Key) -> Option<Want> {
        let Some(Frame::Struct { node, .. }) = self.open.last().filter(|_| !self.text.is_open()) else { return None };
        let child = self.tree.names.find(*node, name)?;
        self.enter(child)
    }

    #[inline]
    fn string(&mut self, value: &str) {
        if std::mem::take(&mut self.due)
            && let Some(Builder::Text(b)) = self.tree.builder(self.current)
        {
            return b.set(self.row, value.as_bytes());
        }
        self.any_string(value);
    }

    #[inline]
    fn number(&mut self, value: Number) {
        if std::mem::take(&mut self.due)
            && let Some(builder) = self.tree.builder(self.current)
        {
            match builder.set_number(self.row, value) {
                Fit::Exact => return,
                Fit::None => {}
                fit => return self.lost(fit, value),
            }
        }
        self.any_number(value);
    }

    fn binary(&mut self, value: &[u8]) {
        if self.text.is_open() {
            return self.text.binary(value);
        }
        if let Some(Frame::Set { member, next, .. }) = self.open.last_mut() {
            *next += 1;
            let (member, row) = (*member, *next - 1);
            if let Some(Builder::Binary(b)) = self.tree.builder(member) {
                b.set(row, value);
            }
            return;
        }
        let (node, row, above) = self.place(Kind::B);
        match self.tree.builder(node) {
            Some(Builder::Binary(b)) => b.set(row, value),
            _ => return self.scalar_text(node, row, above, |text| text.binary(value)),
        }
        self.placed(above, row);
    }

    fn boolean(&mut self, value: bool) {
        if self.text.is_open() {
            return self.text.boolean(value);
        }
        let (node, row, above) = self.place(Kind::Bool);
        match self.tree.builder(node) {
            Some(Builder::Boolean(b)) => b.set(row, value),
            Some(Builder::MixedText(b)) => b.set(row, if value { b"true" } else { b"false" }),
            _ => return self.scalar_text(node, row, above, |text| text.boolean(value)),
        }
        self.placed(above, row);
    }

    fn null(&mut self) {
        if self.text.is_open() {
            return self.text.null();
        }
        // A null is what a row without a value is; only `layout="typed"` has a place for it.
        let (node, row, above) = self.place(Kind::Null);
        if let Some(Builder::Boolean(b)) = self.tree.builder(node).filter(|_| above != NONE) {
            b.set(row, true);
            self.placed(above, row);
        } else if node == NONE && !matches!(self.tree.builder(above), Some(Builder::Mixed { typed: false, .. })) {
            self.scalar_text(node, row, above, ValueEncoder::null);
        }
    }

    fn begin_map(&mut self) {
        self.unwanted.begin();
        if self.text.is_open() {
            return self.text.begin_container(Kind::M);
        }
        let (node, row, above) = self.place(Kind::M);
        match self.tree.builder(node) {
            Some(Builder::Struct(_, validity)) => {
                validity.set(row);
                let frame = Frame::Struct { node, row, last: NONE };
                self.open.push(frame);
            }
            Some(Builder::Map { lists, value, .. }) => {
                let frame = Frame::Map { node, row, value: *value, entry: lists.len() };
                self.open.push(frame);
            }
            _ => return self.begin_text(node, row, above, Kind::M),
        }
        self.placed(above, row);
    }

    fn end_map(&mut self) {
        self.unwanted.end();
        if self.text.is_open() {
            return self.end_container_text(Kind::M);
        }
        self.unknown = None;
        if let Some(Frame::Map { node, row, entry, .. }) = self.open.pop()
            && let Some(Builder::Map { lists, .. }) = self.tree.builder(node)
        {
            lists.set(row, entry);
        }
    }

    fn begin_list(&mut self) {
        if self.text.is_open() {
            return self.text.begin_container(Kind::L);
        }
        let (node, row, above) = self.place(Kind::L);
        match self.tree.builder(node) {
            Some(Builder::List { lists, element }) => {
                let start = lists.len();
                let frame = Frame::List { node, row, element: *element, start, next: start };
                self.open.push(frame);
            }
            _ => return self.begin_text(node, row, above, Kind::L),
        }
        self.placed(above, row);
    }

    fn end_list(&mut self) {
        if self.text.is_open() {
            return self.end_container_text(Kind::L);
        }
        if let Some(Frame::List { node, row, next, .. }) = self.open.pop()
            && let Some(Builder::List { lists, .. }) = self.tree.builder(node)
        {
            lists.set(row, next);
        }
    }

    fn begin_set(&mut self, kind: Kind) {
        if self.text.is_open() {
            return self.text.begin_container(kind);
        }
        let (node, row, above) = self.place(kind);
        match self.tree.builder(node) {
            Some(Builder::Set { kind: of, lists, member }) if *of == kind => {
                let frame = Frame::Set { node, row, member: *member, next: lists.len() };
                self.open.push(frame);
                self.numbers.clear();
            }
            _ => return self.begin_text(node, row, above, kind),
        }
        self.placed(above, row);
    }

    fn end_set(&mut self) {
        if self.text.is_open() {
            return self.end_container_text(Kind::SS);
        }
        let Some(Frame::Set { node, row, member, next }) = self.open.pop() else { return };
        let Some(Builder::Set { kind, lists, .. }) = self.tree.builder(node) else { return };
        if *kind == Kind::NS {
            self.end_number_set(node, row, member, next);
        } else {
            lists.set(row, next);
        }
    }
}
