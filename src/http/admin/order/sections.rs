//! How much of a long order its page shows. To keep a page under 100 kB, long sections show only
//! their beginning, unless the address asks for all of it: `?all=lines&all=events`.

use actix_web::HttpRequest;

/// A part of the page that can be long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    Lines,
    Operations,
    Sessions,
    Events,
    /// The lines that the commands name.
    Commands,
}

impl Section {
    const ALL: [Section; 5] =
        [Self::Lines, Self::Operations, Self::Sessions, Self::Events, Self::Commands];

    /// The word in the query string, which is also the name in sentences and the anchor.
    fn as_str(self) -> &'static str {
        match self {
            Self::Lines => "lines",
            Self::Operations => "operations",
            Self::Sessions => "sessions",
            Self::Events => "events",
            Self::Commands => "commands",
        }
    }

    fn shown_max(self) -> usize {
        match self {
            Self::Lines => 100,
            Self::Operations | Self::Events => 25,
            Self::Sessions => 10,
            Self::Commands => 50,
        }
    }
}

/// The sections that are shown in full.
#[derive(Debug, Default)]
pub struct Whole {
    sections: Vec<Section>,
}

/// A link that shows a section in full.
pub struct More {
    pub href: String,
    pub text: String,
}

impl Whole {
    /// Reads the parameters `all` of the query string.
    pub fn asked(request: &HttpRequest) -> Whole {
        let pairs = form_urlencoded::parse(request.query_string().as_bytes());
        let asked: Vec<String> =
            pairs.filter(|(key, _)| key == "all").map(|(_, word)| word.into_owned()).collect();
        let is_asked = |section: &Section| asked.iter().any(|word| word == section.as_str());
        Whole { sections: Section::ALL.into_iter().filter(is_asked).collect() }
    }

    /// True if the section is shown in full.
    pub fn has(&self, section: Section) -> bool {
        self.sections.contains(&section)
    }

    /// The number of entries of a section that are shown.
    pub fn shown_max(&self, section: Section) -> usize {
        if self.has(section) { usize::MAX } else { section.shown_max() }
    }

    /// A link that shows a section of `count` entries in full, and keeps those in full that already
    /// are; `None` when the section shows everything.
    pub fn more(&self, section: Section, count: usize, self_href: &str) -> Option<More> {
        if count <= self.shown_max(section) {
            return None;
        }
        let mut query = form_urlencoded::Serializer::new(String::new());
        for whole in self.sections.iter().chain([&section]) {
            query.append_pair("all", whole.as_str());
        }
        let word = section.as_str();
        Some(More {
            href: format!("{self_href}?{}#{word}", query.finish()),
            text: match section {
                Section::Commands => format!("Show the command for all {count} lines"),
                _ => format!("Show all {count} {word}"),
            },
        })
    }
}
