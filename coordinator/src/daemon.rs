//! The running coordinator: two listeners and a clock.

use crate::certificate::Served;
use crate::config::Config;
use crate::error::Error;
use crate::files;
use crate::keys;
use crate::region::Region;
use crate::sight::Sight;
use koonti_proto::{serve, serve_enrolment};
use koonti_watch::Door;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How often deadlines and the roster file are looked at.
const TEND_EVERY: Duration = Duration::from_millis(200);

/// How often the server's certificate is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Runs until SIGINT or SIGTERM.
///
/// # Errors
/// When it cannot start, or the disk fails.
pub(crate) async fn run(config: Config) -> Result<(), Error> {
    files::raise_limit();
    let authority = keys::authority(&config)?;
    let ca_pem = authority.cert_pem();
    let mut served = Served::load(&config)?;
    let certificate = served.certificate();
    let bind =
        |address| TcpListener::bind(address).map_err(|e| Error::Refused(format!("cannot listen on {address}: {e}")));
    let (main, enrolment) = (bind(config.listen)?, bind(config.enrolment_listen)?);
    tracing::info!(listen = %config.listen, enrolment = %config.enrolment_listen, region = %config.region, "running");
    let sight = Arc::new(Sight::new(&config));
    if let Some(at) = config.metrics {
        tokio::spawn(Door::open(at)?.serve(sight.clone()));
    }
    let region = Arc::new(Region::open(config.clone(), authority)?);
    sight.opened(region.clone());
    let (stop, stopped) = watch::channel(false);
    let until = |mut stopped: watch::Receiver<bool>| async move {
        // An error means that the sender is gone, and that is a stop as well.
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    let tending = async {
        loop {
            tokio::task::block_in_place(|| region.tend())?;
            tokio::time::sleep(TEND_EVERY).await;
        }
    };
    let certified = async {
        let authority = keys::authority(&config)?;
        loop {
            tokio::task::block_in_place(|| served.tend(&config, &authority))?;
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    let serving = async {
        let main = serve(main, &ca_pem, &certificate, region.clone(), until(stopped.clone()));
        let enrolment = serve_enrolment(enrolment, &certificate, region.clone(), until(stopped));
        tokio::try_join!(main, enrolment).map(|_| ()).map_err(Error::from)
    };
    tokio::select! {
        result = tending => result,
        result = certified => result,
        result = serving => result,
        () = stop_signal() => { stop.send_replace(true); tracing::info!("stopping"); Ok(()) }
    }
}

async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        return std::future::pending().await;
    };
    tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
}
