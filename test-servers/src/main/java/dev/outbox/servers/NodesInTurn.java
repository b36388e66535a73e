package dev.outbox.servers;

import java.io.IOException;
import java.util.List;

/**
 * Servers that are one for their clients; to be closed. One at a time is killed or paused, each in its turn. Used by
 * one thread.
 */
abstract class NodesInTurn<N extends Killable> implements Killable {
    final List<N> nodes;
    private int turns;

    /** @param nodes at least one when the first is hurt */
    NodesInTurn(List<N> nodes) {
        this.nodes = nodes;
    }

    @Override
    public void kill() throws Exception {
        next().kill();
    }

    @Override
    public void restart() throws Exception {
        hurt().restart();
    }

    @Override
    public void pause() throws Exception {
        next().pause();
    }

    @Override
    public void resume() throws Exception {
        hurt().resume();
    }

    private N next() {
        turns++;
        return hurt();
    }

    private N hurt() {
        return nodes.get((turns - 1) % nodes.size());
    }

    @Override
    public void close() throws IOException {
        for (N node : nodes) {
            node.close();
        }
    }
}
