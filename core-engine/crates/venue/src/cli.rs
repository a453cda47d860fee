//! The options, and what they make.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::{Args, Parser, Subcommand};
use flashpod_matching::{Conservative, EstimatedBook, Proportional};
use flashpod_types::Nanos;

use crate::accounts;
use crate::exchange::{Exchange, ExchangeConfig};
use crate::faults::Faults;
use crate::listing::{Listing, split_symbol};
use crate::market::{Market, Recorded, Speed};
use crate::replay;
use crate::settings::Settings;
use crate::synthetic::{Flow, Profile};
use crate::truth::{self, Experiment, Report};

/// A MEXC look-alike over a synthetic or a recorded market.
#[derive(Debug, Parser)]
#[command(name = "flashpod-venue", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Where to listen; port 0 lets the system choose one.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:0")]
    pub listen: String,
    /// Serve https and wss with a certificate of a throw-away authority.
    #[arg(long)]
    pub tls: bool,
    /// Where to write the authority's certificate (PEM); a new temporary file by default.
    #[arg(long, value_name = "FILE", requires = "tls")]
    pub ca_out: Option<PathBuf>,
    /// A market made order by order; the same seed gives the same market. This is the default.
    #[arg(long, value_name = "SEED", num_args = 0..=1, require_equals = true, default_missing_value = "1")]
    pub synthetic: Option<u64>,
    /// A recorded market: frame files, also gzipped, of one or several symbols.
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "synthetic")]
    pub replay: Vec<PathBuf>,
    /// Begin the recording anew after its end, again and again.
    #[arg(long = "loop", requires = "replay")]
    pub loops: bool,
    /// Market seconds per second: a number, or `max` for as fast as the readers read (replay only).
    #[arg(long, default_value = "1", value_parser = speed)]
    pub speed: Speed,
    /// Simulated accounts: {"accounts":[{"apiKey":…,"secretKey":…,"balances":{"USDC":"1000000"}}]}.
    #[arg(long, value_name = "FILE")]
    pub accounts: Option<PathBuf>,
    /// One setting; may be repeated. The README has the table.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub settings: Vec<String>,
    /// Things that go wrong on purpose.
    #[arg(long, value_name = "FILE")]
    pub faults: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Reads one push frame given in hex and prints it as JSON, as our decoder sees it.
    Decode { hex: String },
    /// Prints the README's tables of settings and endpoints.
    Tables,
    /// Measures how far each queue model's fills are from those of the true queue, on the synthetic market.
    Truth(TruthOptions),
}

#[derive(Debug, Args)]
pub struct TruthOptions {
    /// The market and the orders in it; the same seed gives the same figures.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How many own orders are tried.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub orders: u64,
    /// The synthetic pair.
    #[arg(long, default_value = "BTCUSDC", value_parser = ["BTCUSDC", "ETHUSDC"])]
    pub symbol: String,
    /// The pair's tick; a coarser one gathers more orders at each price.
    #[arg(long, default_value = "0.01", value_parser = ["0.01", "0.1", "1"])]
    pub tick: String,
    /// Milliseconds between two depth updates; 0: each change is shown at once.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(0..=60_000))]
    pub cadence_ms: u64,
    /// Where to write the figures as JSON.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

impl TruthOptions {
    /// Runs the experiment; the tables as text.
    pub fn run(&self) -> anyhow::Result<String> {
        let pair = if self.symbol == "ETHUSDC" { Profile::ethusdc() } else { Profile::btcusdc() };
        let price_places = self.tick.split_once('.').map_or(0, |(_, places)| places.len());
        let profile = Profile { price_places, ..pair };
        let experiment = Experiment {
            profile,
            seed: self.seed,
            orders: self.orders,
            cadence: Nanos::from_millis(self.cadence_ms),
            every: Nanos::from_millis(500),
            horizon: Nanos::from_secs(60),
        };
        let run = truth::run(&experiment, vec![Box::new(Conservative), Box::new(Proportional)]);
        let report = Report::new(&experiment, &run);
        if let Some(file) = &self.json {
            let text = serde_json::to_string_pretty(&report)?;
            std::fs::write(file, text + "\n").with_context(|| format!("--json {}", file.display()))?;
        }
        Ok(report.text())
    }
}

fn speed(text: &str) -> Result<Speed, String> {
    if text == "max" {
        return Ok(Speed::Max);
    }
    let factor: flashpod_types::Price =
        text.parse().map_err(|e| format!("{e}; a number such as 1 or 2.5, or max, is accepted"))?;
    match u64::try_from(factor.raw()) {
        Ok(raw) if raw > 0 => Ok(Speed::Times(raw)),
        _ => Err("must be above 0; a number such as 1 or 2.5, or max, is accepted".to_owned()),
    }
}

/// Trading before the venue opens, so that candles and trades exist from the start.
const WARM_UP: Nanos = Nanos(180_000_000_000);

impl Cli {
    fn settings(&self) -> anyhow::Result<Settings> {
        let mut settings = Settings::default();
        for assignment in &self.settings {
            settings.set(assignment)?;
        }
        Ok(settings)
    }

    fn markets(&self, settings: &Settings, now: Nanos) -> anyhow::Result<Vec<Market>> {
        if !self.replay.is_empty() {
            return self.recorded(settings);
        }
        if self.speed == Speed::Max {
            bail!("--speed max: only a recording ends; give a number, or --replay");
        }
        let seed = self.synthetic.unwrap_or(1);
        let profiles = [Profile::btcusdc(), Profile::ethusdc()];
        let market = |(stream, profile): (u64, Profile)| {
            let listing = Listing::new(
                profile.symbol.parse().expect("a symbol"),
                profile.base,
                profile.quote,
                (profile.price_places, profile.qty_places),
                settings,
            );
            Market::synthetic(listing, Flow::new(profile, seed, stream), self.speed, now, WARM_UP)
        };
        Ok((0..).zip(profiles).map(market).collect())
    }

    fn recorded(&self, settings: &Settings) -> anyhow::Result<Vec<Market>> {
        if self.loops && self.speed == Speed::Max {
            bail!("--loop --speed max: would never end nor wait; a number is accepted as the speed");
        }
        let mut markets = Vec::new();
        for tape in replay::load(&self.replay)? {
            let symbol = tape.symbol;
            let (base, quote) = split_symbol(symbol.as_str())
                .with_context(|| format!("--replay: {symbol} names no known quote currency"))?;
            let listing = Listing::new(symbol, base, quote, tape.places, settings);
            if let Some(map) = &tape.renumbered {
                let (first, last) = (map.first().copied(), map.last().copied());
                tracing::info!(
                    %symbol, ?first, ?last,
                    "futures ids have holes: renumbered one a diff, (recorded id, version); all in /audit/versions"
                );
            }
            tracing::info!(
                %symbol, events = tape.events.len(), version = tape.version, gaps = tape.gaps, "recording loaded"
            );
            let recorded = Recorded::new(Arc::new(tape), EstimatedBook::new(settings.queue()), self.loops);
            markets.push(Market::recorded(listing, recorded, self.speed));
        }
        Ok(markets)
    }

    /// The venue that these options describe.
    pub fn exchange(&self, now: Nanos) -> anyhow::Result<Exchange> {
        let settings = self.settings()?;
        let faults = self.faults.as_deref().map(Faults::read).transpose()?.unwrap_or_default();
        let accounts = self.accounts.as_deref().map(accounts::read).transpose()?.unwrap_or_default();
        let markets = self.markets(&settings, now)?;
        let seed = self.synthetic.unwrap_or(1);
        let full_speed = self.speed == Speed::Max;
        Ok(Exchange::new(ExchangeConfig { settings, faults, accounts, markets, seed, full_speed }, now))
    }

    /// The address to bind.
    pub fn address(&self) -> anyhow::Result<SocketAddr> {
        use std::net::ToSocketAddrs;
        let accepted = || format!("--listen {}: HOST:PORT such as 127.0.0.1:0 is accepted", self.listen);
        self.listen.to_socket_addrs().with_context(accepted)?.next().with_context(accepted)
    }
}
