pub fn validate() {}
