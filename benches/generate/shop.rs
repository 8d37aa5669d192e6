//! The shop: users, their orders and products in one table, every type of value among them.
//!
//! As in a real table the items of one partition key stand together, sorted by sort key, and
//! the order of attributes is arbitrary, but about the same for all items of a kind. What
//! readers get wrong stands here on purpose: an attribute of two types (`ref`), numbers of 38
//! digits (`ledgerId`), NULL, empty strings, lists and maps, names beyond ASCII, escapes, an
//! attribute that is always NULL (`supplier`).

use crate::lines::Lines;
use crate::rng::{Rng, mix};
use crate::shape::{File, Items};
use crate::time::iso_seconds;
use crate::words::{
    ADJECTIVES, CATEGORIES, CITIES, CURRENCIES, FIRST_NAMES, LAST_NAMES, NOTES, NOUNS, SEGMENTS, SENTENCES, STATUSES, STREETS,
};

#[rustfmt::skip]
const USER: [&str; 16] = [
    "PK", "SK", "EntityType", "name", "email", "createdAt", "address", "segments", "points",
    "active", "avatar", "deviceKeys", "ref", "phone", "preferences", "favourites",
];
#[rustfmt::skip]
const ORDER: [&str; 14] = [
    "PK", "SK", "EntityType", "orderId", "status", "total", "currency", "lines", "shipTo", "ref",
    "gift", "note", "ledgerId", "receipt",
];
#[rustfmt::skip]
const PRODUCT: [&str; 16] = [
    "PK", "SK", "EntityType", "name", "price", "stock", "description", "categories", "sizes",
    "thumbnail", "discontinued", "dimensions", "images", "supplier", "ref", "updatedAt",
];

/// 2022-01-01; every item is older than the earliest export, of 2025.
const OPENING: u64 = 1_640_995_200;

/// The orders of a user, then the user, sorted as `ORDER#…` < `PROFILE`; products between.
pub struct Shop {
    rng: Rng,
    file: File,
    user: [&'static str; USER.len()],
    order: [&'static str; ORDER.len()],
    product: [&'static str; PRODUCT.len()],
    users: u64,
    products: u64,
    customer: Option<Customer>,
}

/// The user whose items are being written.
struct Customer {
    number: u64,
    key: String,
    registered: u64,
    last_order: u64,
    orders_left: u64,
}

impl Shop {
    /// The items of `file`.
    pub fn new(file: File) -> Self {
        let (mut user, mut order, mut product) = (USER, ORDER, PRODUCT);
        // Not the file's stream: the order belongs to the table.
        let mut rng = Rng::new(file.seed, u64::MAX);
        rng.shuffle(&mut user);
        rng.shuffle(&mut order);
        rng.shuffle(&mut product);
        Self { rng: Rng::new(file.seed, file.index), file, user, order, product, users: 0, products: 0, customer: None }
    }

    fn next_customer(&mut self) -> Customer {
        let number = self.file.number(self.users);
        self.users += 1;
        let registered = OPENING + self.rng.below(700 * 86_400);
        Customer { number, key: format!("USER#{:016x}", mix(number)), registered, last_order: registered, orders_left: self.rng.below(10) }
    }

    fn write_user(&mut self, customer: &Customer, out: &mut Lines) {
        let rng = &mut self.rng;
        let mut names = self.user;
        rng.vary(&mut names);
        let (first, last) = (rng.pick(&FIRST_NAMES), rng.pick(&LAST_NAMES));
        out.item(|item| {
            for name in names {
                match name {
                    "PK" => item.at(name).string(&customer.key),
                    "SK" => item.at(name).string("PROFILE"),
                    "EntityType" => item.at(name).string("user"),
                    "name" if rng.one_in(20) => {
                        let nick: String = first.chars().take(2).collect();
                        item.at(name).string(&format!("{first} \"{nick}\" {last}"));
                    }
                    "name" => item.at(name).string(&format!("{first} {last}")),
                    "email" => {
                        let host = rng.pick(&["example.com", "example.org", "mail.example"]);
                        item.at(name).string(&format!("u{}@{host}", customer.number));
                    }
                    "createdAt" => item.at(name).string(&iso_seconds(customer.registered)),
                    "address" => write_address(rng, item.at(name)),
                    "segments" if rng.one_in(2) => {
                        let count = 1 + rng.below(3) as usize;
                        item.at(name).string_set(&rng.several(&SEGMENTS, count));
                    }
                    "points" => item.at(name).integer(rng.between(0, 20_000)),
                    "active" => item.at(name).boolean(!rng.one_in(8)),
                    "avatar" if rng.one_in(3) => item.at(name).binary(&rng.bytes::<16>()),
                    "deviceKeys" if rng.one_in(4) => {
                        let keys: [[u8; 6]; 2] = [rng.bytes(), rng.bytes()];
                        item.at(name).binary_set(&keys[..=rng.below(2) as usize]);
                    }
                    "ref" => write_ref(rng, item.at(name)),
                    "phone" if rng.one_in(3) => item.at(name).null(),
                    "phone" => {
                        let number = rng.between(1_000_000, 9_999_999);
                        item.at(name).string(&format!("+44 20 {number}"));
                    }
                    "preferences" if rng.one_in(4) => item.at(name).map(|_| {}),
                    "preferences" => item.at(name).map(|map| {
                        map.at("language").string(rng.pick(&["en", "de", "fr", "pl", "ja"]));
                        map.at("dark").boolean(rng.one_in(2));
                    }),
                    "favourites" if rng.one_in(3) => {
                        let start = rng.between(1, 9000);
                        let all = [start, start + 7, start + 70, start + 170];
                        let count = 1 + rng.below(4) as usize;
                        item.at(name).number_set(&rng.several(&all, count));
                    }
                    _ => {} // one of the attributes that only some users have
                }
            }
        });
    }

    fn write_order(&mut self, customer: &mut Customer, out: &mut Lines) {
        let rng = &mut self.rng;
        let mut names = self.order;
        rng.vary(&mut names);
        // Always later than the one before: the sort key.
        customer.last_order += 1 + rng.below(40 * 86_400);
        let time = iso_seconds(customer.last_order);
        let lines: Vec<Line> = (0..line_count(rng)).map(|_| Line::new(rng)).collect();
        let total = lines.iter().map(|line| line.price * line.quantity).sum();
        out.item(|item| {
            for name in names {
                match name {
                    "PK" => item.at(name).string(&customer.key),
                    "SK" => item.at(name).string(&format!("ORDER#{time}")),
                    "EntityType" => item.at(name).string("order"),
                    "orderId" => item.at(name).string(&rng.uuid()),
                    "status" => item.at(name).string(rng.pick(&STATUSES)),
                    "total" => item.at(name).decimal(total, 2),
                    "currency" => item.at(name).string(rng.pick(&CURRENCIES)),
                    "lines" => item.at(name).list(|list| {
                        for line in &lines {
                            line.write(list);
                        }
                    }),
                    "shipTo" if rng.one_in(6) => write_address(rng, item.at(name)),
                    "ref" => write_ref(rng, item.at(name)),
                    "gift" if rng.one_in(3) => item.at(name).boolean(rng.one_in(10)),
                    "note" if rng.one_in(3) => item.at(name).string(rng.pick(&NOTES)),
                    "note" if rng.one_in(4) => item.at(name).null(),
                    "ledgerId" if rng.one_in(2) => item.at(name).digits(&long_number(rng)),
                    "receipt" => item.at(name).binary(&rng.bytes::<39>()),
                    _ => {} // one of the attributes that only some orders have
                }
            }
        });
    }

    fn write_product(&mut self, out: &mut Lines) {
        let product = Product(self.file.number(self.products));
        self.products += 1;
        let rng = &mut self.rng;
        let mut names = self.product;
        rng.vary(&mut names);
        out.item(|item| {
            for name in names {
                match name {
                    "PK" => item.at(name).string(&format!("PRODUCT#{}", product.sku())),
                    "SK" => item.at(name).string("INFO"),
                    "EntityType" => item.at(name).string("product"),
                    "name" => item.at(name).string(&product.title()),
                    "price" => item.at(name).decimal(product.price(), 2),
                    // Below zero: sold before it came.
                    "stock" => item.at(name).integer(rng.between(-5, 500)),
                    "description" => {
                        let count = rng.below(4) as usize;
                        item.at(name).string(&rng.several(&SENTENCES, count).join(" "));
                    }
                    "categories" => {
                        let count = 1 + rng.below(3) as usize;
                        item.at(name).string_set(&rng.several(&CATEGORIES, count));
                    }
                    "sizes" if rng.one_in(4) => {
                        item.at(name).number_set(&rng.several(&[36, 38, 40, 42, 44, 46], 3));
                    }
                    "thumbnail" if rng.one_in(4) => item.at(name).binary(&rng.bytes::<24>()),
                    "discontinued" => item.at(name).boolean(rng.one_in(12)),
                    "dimensions" => item.at(name).map(|map| {
                        for side in ["w", "h", "d"] {
                            map.at(side).decimal(rng.between(10, 2000), 1);
                        }
                    }),
                    "images" => item.at(name).list(|list| {
                        for n in 0..rng.below(3) {
                            list.string(&format!("img/{}/{n}.jpg", product.sku()));
                        }
                    }),
                    "supplier" => item.at(name).null(),
                    "ref" => write_ref(rng, item.at(name)),
                    "updatedAt" => {
                        let time = OPENING + rng.below(1000 * 86_400);
                        item.at(name).string(&iso_seconds(time));
                    }
                    _ => {} // one of the attributes that only some products have
                }
            }
        });
    }
}

impl Items for Shop {
    fn write_next(&mut self, out: &mut Lines) {
        let mut customer = match self.customer.take() {
            Some(customer) => customer,
            None if self.rng.one_in(3) => return self.write_product(out),
            None => self.next_customer(),
        };
        if customer.orders_left == 0 {
            self.write_user(&customer, out);
        } else {
            customer.orders_left -= 1;
            self.write_order(&mut customer, out);
            self.customer = Some(customer);
        }
    }
}

/// A product, by its number in the table. All that orders copy of it follows from the number.
#[derive(Clone, Copy)]
struct Product(u64);

impl Product {
    fn sku(self) -> String {
        format!("SKU-{:06}", self.0)
    }

    fn title(self) -> String {
        let mut random = Rng::new(self.0, 0);
        format!("{} {}", random.pick(&ADJECTIVES), random.pick(&NOUNS))
    }

    /// In cents.
    fn price(self) -> i64 {
        99 + (mix(self.0 + 1_000_000) % 20_000) as i64
    }
}

/// A line of an order.
struct Line {
    product: Product,
    quantity: i64,
    /// As it was then, in cents.
    price: i64,
    /// Only some orders copied it.
    titled: bool,
}

impl Line {
    fn new(rng: &mut Rng) -> Self {
        // The smaller of two: some products sell better than others.
        let product = Product(rng.below(5000).min(rng.below(5000)));
        Self {
            product,
            quantity: if rng.one_in(3) { rng.between(2, 9) } else { 1 },
            price: product.price() * rng.between(70, 100) / 100,
            titled: rng.one_in(4),
        }
    }

    fn write(&self, list: &mut Lines) {
        list.map(|map| {
            map.at("sku").string(&self.product.sku());
            if self.titled {
                map.at("title").string(&self.product.title());
            }
            map.at("qty").integer(self.quantity);
            map.at("price").decimal(self.price, 2);
        });
    }
}

/// Mostly one or two; none where everything was taken back.
fn line_count(rng: &mut Rng) -> u64 {
    match rng.below(40) {
        0 => 0,
        1..=25 => 1,
        26..=35 => 2,
        _ => 3 + rng.below(4),
    }
}

fn write_address(rng: &mut Rng, at: &mut Lines) {
    let (city, country) = rng.pick(&CITIES);
    at.map(|map| {
        let street = format!("{} {}", rng.between(1, 250), rng.pick(&STREETS));
        map.at("street").string(&street);
        map.at("city").string(city);
        map.at("zip").string(&format!("{:05}", rng.below(100_000)));
        map.at("country").string(country);
    });
}

/// A reference of another system: older ones are numbers, newer ones text.
fn write_ref(rng: &mut Rng, at: &mut Lines) {
    let number = rng.between(1, 9_999_999);
    if rng.one_in(3) {
        at.integer(number);
    } else {
        at.string(&format!("R-{number}"));
    }
}

/// A whole number of 12 to 38 digits, 38 being what `DynamoDB` keeps exactly.
fn long_number(rng: &mut Rng) -> String {
    let length = rng.between(12, 38) as usize;
    let mut digits = format!("{}{:019}{:019}", 1 + rng.below(9), rng.below(10_u64.pow(19)), rng.below(10_u64.pow(19)));
    digits.truncate(length);
    digits
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn lines(items: usize) -> String {
        let mut shop = Shop::new(File { index: 2, count: 4, seed: 9 });
        let mut out = Lines::default();
        for _ in 0..items {
            shop.write_next(&mut out);
        }
        String::from_utf8(out.lines().to_vec()).unwrap()
    }

    #[test]
    fn whatever_readers_get_wrong_is_there() {
        let text = lines(3000);
        for needle in [
            r#""EntityType":{"S":"user"}"#,
            r#""EntityType":{"S":"order"}"#,
            r#""EntityType":{"S":"product"}"#,
            r#""ref":{"S":""#,
            r#""ref":{"N":""#,
            r#"{"S":""}"#,
            r#"{"L":[]}"#,
            r#"{"M":{}}"#,
            r#"{"NULL":true}"#,
            r#"{"SS":["#,
            r#"{"NS":["#,
            r#"{"B":""#,
            r#"{"BS":["#,
            r#"\""#,
            r"\\",
            r"\n",
            r"\u00e9",
            r"\u00E9",
            r"\ud83c\udf82",
            "🎂",
            "é",
            r#""stock":{"N":"-"#,
        ] {
            assert!(text.contains(needle), "{needle}");
        }
    }

    #[test]
    fn every_attribute_is_written() {
        let text = lines(3000);
        for name in USER.iter().chain(&ORDER).chain(&PRODUCT) {
            assert!(text.contains(&format!("\"{name}\":{{")), "{name}");
        }
    }

    #[test]
    fn no_primary_key_comes_twice() {
        let text = lines(5000);
        let of = |line: &str, name: &str| {
            let from = line.find(&format!("\"{name}\":{{\"S\":\"")).unwrap() + name.len() + 9;
            line[from..].split('"').next().unwrap().to_owned()
        };
        let keys: HashSet<_> = text.lines().map(|l| (of(l, "PK"), of(l, "SK"))).collect();
        assert_eq!(keys.len(), 5000);
    }

    #[test]
    fn long_numbers_have_at_most_38_digits() {
        let mut rng = Rng::new(1, 0);
        let lengths: HashSet<_> = (0..2000).map(|_| long_number(&mut rng).len()).collect();
        assert_eq!(lengths, (12..=38).collect());
    }
}
