//! Seeded chance (SplitMix64), and the names that companies give to things.

pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, most: usize) -> usize {
        (self.next() % most as u64) as usize
    }

    pub(crate) fn percent(&mut self, share: u64) -> bool {
        self.next() % 100 < share
    }

    pub(crate) fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }

    pub(crate) fn letters(&mut self, alphabet: &str, length: usize) -> String {
        let letters: Vec<char> = alphabet.chars().collect();
        (0..length)
            .map(|_| letters[self.below(letters.len())])
            .collect()
    }

    pub(crate) fn guid(&mut self) -> String {
        let hex = self.letters("0123456789abcdef", 32);
        [
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..],
        ]
        .join("-")
    }

    pub(crate) fn key_id(&mut self) -> String {
        let tail = self.letters("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16);
        format!("{}{tail}", concat!("AK", "IA"))
    }
}

pub(crate) const SUBJECTS: &[&str] = &[
    "payments",
    "ledger",
    "checkout",
    "catalog",
    "search",
    "billing",
    "invoices",
    "shipping",
    "returns",
    "loyalty",
    "pricing",
    "orders",
    "customers",
    "identity",
    "sessions",
    "mail",
    "notifications",
    "reports",
    "warehouse",
    "inventory",
    "suppliers",
    "contracts",
    "fraud",
    "risk",
    "onboarding",
    "claims",
    "policies",
    "quotes",
    "assets",
    "fleet",
    "telemetry",
    "metering",
    "tariffs",
    "grid",
    "outage",
    "bookings",
    "flights",
    "rooms",
    "menus",
    "kitchen",
    "delivery",
    "drivers",
    "maps",
    "routes",
    "traffic",
    "weather",
    "alerts",
    "media",
    "video",
    "images",
    "thumbnails",
    "uploads",
    "archive",
    "backup",
    "restore",
    "audit",
    "payroll",
    "hiring",
    "training",
    "surveys",
    "campaigns",
    "coupons",
    "referrals",
    "analytics",
    "events",
    "pipelines",
    "models",
    "features",
    "labels",
    "vectors",
    "chat",
    "voice",
    "tickets",
    "wiki",
    "calendar",
    "documents",
    "signatures",
    "translations",
    "currencies",
    "taxes",
    "refunds",
    "disputes",
    "settlement",
    "treasury",
    "cards",
    "accounts",
    "loans",
    "mortgages",
    "savings",
    "pensions",
    "funds",
    "trades",
    "quotations",
    "clearing",
    "custody",
    "margin",
    "research",
];

pub(crate) const PARTS: &[&str] = &[
    "api",
    "web",
    "worker",
    "batch",
    "sync",
    "gateway",
    "proxy",
    "importer",
    "exporter",
    "cron",
    "consumer",
    "producer",
    "indexer",
    "scheduler",
    "admin",
    "mobile",
    "edge",
    "core",
    "bridge",
    "reader",
    "writer",
    "cache",
    "store",
    "feed",
    "hook",
    "agent",
    "monitor",
    "loader",
    "etl",
    "stream",
];

pub(crate) const TASKS: &[&str] = &[
    "deploy",
    "nightly export",
    "read metrics",
    "push images",
    "rotate logs",
    "send mail",
    "publish",
    "sync contacts",
    "pull rates",
    "sign releases",
    "upload scans",
    "fetch orders",
    "notify partners",
    "index documents",
    "train models",
    "mirror packages",
    "poll status",
    "charge cards",
    "print labels",
    "reconcile accounts",
];

pub(crate) const ENVIRONMENTS: &[&str] = &["prod", "staging", "test", "dev"];

pub(crate) const GIVEN: &[&str] = &[
    "ada", "bela", "carla", "dimitri", "elif", "farid", "gesa", "hugo", "ines", "jan", "keiko",
    "lea", "mats", "nadia", "omar", "petra", "quentin", "rosa", "samir", "tove", "ugo", "vera",
    "wim", "xenia", "yusuf", "zoe",
];

pub(crate) const FAMILY: &[&str] = &[
    "abel", "berg", "costa", "dahl", "engel", "ferri", "garcia", "haas", "ito", "jansen", "kaya",
    "lind", "moreau", "novak", "okafor", "petrov", "quist", "rossi", "silva", "tanaka", "urban",
    "vogel", "weber", "yilmaz", "ziegler", "adler", "brandt", "conti", "duarte", "eriksen",
];
