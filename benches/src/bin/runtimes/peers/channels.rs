//! What runtimes without channels of their own use: those of the crate async-channel.

use async_channel::{Receiver, Sender, bounded};

use super::futures::Means;

/// async-channel.
#[derive(Debug)]
pub(crate) struct AsyncChannel;

impl Means for AsyncChannel {
    type Sender = Sender<u64>;
    type Receiver = Receiver<u64>;
    /// A message lets one go on, and the channel's end all.
    type Signal = (Sender<()>, Receiver<()>);

    fn channel() -> (Self::Sender, Self::Receiver) {
        bounded(1)
    }

    async fn send(sender: &Self::Sender, message: u64) {
        sender.send(message).await.expect("somebody listens");
    }

    async fn receive(receiver: &mut Self::Receiver) -> Option<u64> {
        receiver.recv().await.ok()
    }

    fn signal() -> Self::Signal {
        bounded(1)
    }

    fn let_one((give, _): &Self::Signal) {
        give.try_send(()).expect("the last one was taken");
    }

    fn let_all((give, _): &Self::Signal) {
        give.close();
    }

    async fn given((_, given): &Self::Signal) {
        // An error is the end, which is given as well.
        let _ = given.recv().await;
    }
}
