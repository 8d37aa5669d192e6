//! What names, notes and places of the shop are made of: plain words, words beyond ASCII, emoji,
//! quotes, backslashes, control characters.

#[rustfmt::skip]
pub const FIRST_NAMES: [&str; 24] = [
    "Ada", "Zoë", "José", "Mia", "Noah", "Søren", "Łukasz", "Anna", "Björn", "Chloé", "Liam",
    "Emma", "Николай", "花子", "Omar", "Priya", "Ines", "Tomás", "Yuki", "Fatima", "Ben", "Olu",
    "Marta", "Ahmed",
];
#[rustfmt::skip]
pub const LAST_NAMES: [&str; 20] = [
    "Smith", "Müller", "García", "O'Neil", "Nowak", "Østergård", "Иванова", "山田", "Rossi",
    "Silva", "Khan", "Patel", "Jones", "Dubois", "Novák", "Kim", "Okafor", "de la Cruz", "Lee",
    "Brown",
];
#[rustfmt::skip]
pub const STREETS: [&str; 12] = [
    "High Street", "Hauptstraße", "Rue de l'Église", "Calle Mayor", "Main Street", "Park Road",
    "Mill Lane", "Via Roma", "Station Road", "Queen Street", "Ringvägen", "Oak Avenue",
];
/// City and country.
#[rustfmt::skip]
pub const CITIES: [(&str, &str); 14] = [
    ("London", "GB"), ("Zürich", "CH"), ("København", "DK"), ("São Paulo", "BR"),
    ("Paris", "FR"), ("Berlin", "DE"), ("Kraków", "PL"), ("東京", "JP"), ("Seattle", "US"),
    ("Dublin", "IE"), ("Madrid", "ES"), ("Austin", "US"), ("Milano", "IT"), ("Leeds", "GB"),
];
#[rustfmt::skip]
pub const ADJECTIVES: [&str; 16] = [
    "Blue", "Small", "Classic", "Oak", "Folding", "Wool", "Recycled", "Double", "Quiet",
    "Ceramic", "Light", "Nordic", "Crème", "Smart", "Vintage", "Soft",
];
#[rustfmt::skip]
pub const NOUNS: [&str; 20] = [
    "Mug", "Lamp", "Backpack", "Chair", "Notebook", "Kettle", "Scarf", "Bottle", "Clock", "Rug",
    "Desk", "Pillow", "Teapot", "Jacket", "Speaker", "Vase", "Café Table", "Tray", "Candle",
    "Basket",
];
#[rustfmt::skip]
pub const CATEGORIES: [&str; 9] = [
    "home", "kitchen", "office", "outdoor", "gifts", "textiles", "déco", "sale", "new",
];
#[rustfmt::skip]
pub const SEGMENTS: [&str; 7] = [
    "newsletter", "vip", "b2b", "student", "returning", "app", "wholesale",
];
#[rustfmt::skip]
pub const STATUSES: [&str; 8] = [
    "DELIVERED", "DELIVERED", "DELIVERED", "SHIPPED", "PAID", "CREATED", "CANCELLED",
    "RETURNED",
];
pub const CURRENCIES: [&str; 6] = ["EUR", "EUR", "EUR", "USD", "USD", "GBP"];
pub const NOTES: [&str; 14] = [
    "",
    "Please ring twice.",
    "Leave it with the neighbour \"Jo\".",
    "Deliver to the back door\nand close the gate.",
    "Happy birthday 🎂!",
    "👩‍👩‍👧 says thanks ❤️",
    "Path: C:\\gifts\\list.txt",
    "Größe bitte prüfen – danke",
    "Tab\tseparated",
    "50% off / coupon {X}",
    "Ring\u{1}bell\r\n",
    "𝒢ift wrap, please",
    "配達は午後にお願いします",
    "Call before delivery",
];
pub const SENTENCES: [&str; 12] = [
    "Made by hand.",
    "Holds up to 2 l.",
    "Ships in two days 🚚.",
    "Easy to clean.",
    "12\" wide.",
    "Comes with a 5 year guarantee.",
    "Ideal for the café corner.",
    "Please read the manual first.",
    "Matches the whole series.",
    "Not for the dishwasher.",
    "Made of recycled material ♻️.",
    "A favourite since 1998.",
];
