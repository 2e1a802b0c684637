// What the embedded server lacks: an index that serves any query which names all its keys, and perhaps more.
//
// As the library comes, its index on _id is used for the query {_id: x} alone; {_id: x, college: y, version: 3}, which is
// how every load, save and clearing asks, reads the whole collection. Whatever an index finds is held against the whole
// query afterwards by the library itself, so that all this changes is how many documents are looked at.
//
// Compiled when the server starts (mongo_server.py), by Eclipse's compiler, as the Java here has none.

package tyrsky.local;

import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.backend.CursorRegistry;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.backend.h2.H2Database;
import de.bwaldvogel.mongo.bson.Document;
import java.util.List;
import org.h2.mvstore.MVStore;

public class MongoStore extends H2Backend {
    public MongoStore(MVStore store) {
        super(store);
    }

    @Override
    protected MongoDatabase openOrCreateDatabase(String name) {
        return new Database(name, getMvStore(), getCursorRegistry());
    }

    static class Database extends H2Database {
        Database(String name, MVStore store, CursorRegistry cursors) {
            super(name, store, cursors);
        }

        @Override
        protected Index<Object> openOrCreateUniqueIndex(String collection, String name, List<IndexKey> keys, boolean sparse) {
            return new Narrowing(super.openOrCreateUniqueIndex(collection, name, keys, sparse), keys, sparse);
        }
    }

    /** The library's index, asked with those of the query's fields that it is about. */
    static class Narrowing extends Index<Object> {
        private final Index<Object> index;

        Narrowing(Index<Object> index, List<IndexKey> keys, boolean sparse) {
            super(index.getName(), keys, sparse);
            this.index = index;
        }

        private Document about(Document query) {
            Document about = new Document();
            for (String name : keys()) {
                if (!query.containsKey(name)) {
                    return null;
                }
                about.put(name, query.get(name));
            }
            return about;
        }

        @Override
        public boolean canHandle(Document query) {
            Document about = about(query);
            return about != null && index.canHandle(about);
        }

        @Override
        public Iterable<Object> getPositions(Document query) {
            return index.getPositions(about(query));
        }

        @Override
        public Object getPosition(Document document) {
            return index.getPosition(document);
        }

        @Override
        public boolean isUnique() {
            return index.isUnique();
        }

        @Override
        public boolean isEmpty() {
            return index.isEmpty();
        }

        @Override
        public void checkAdd(Document document, MongoCollection<Object> collection) {
            index.checkAdd(document, collection);
        }

        @Override
        public void add(Document document, Object position, MongoCollection<Object> collection) {
            index.add(document, position, collection);
        }

        @Override
        public Object remove(Document document) {
            return index.remove(document);
        }

        @Override
        public void checkUpdate(Document before, Document after, MongoCollection<Object> collection) {
            index.checkUpdate(before, after, collection);
        }

        @Override
        public void updateInPlace(Document before, Document after, Object position, MongoCollection<Object> collection) {
            index.updateInPlace(before, after, position, collection);
        }

        @Override
        public long getCount() {
            return index.getCount();
        }

        @Override
        public long getDataSize() {
            return index.getDataSize();
        }

        @Override
        public void drop() {
            index.drop();
        }
    }
}
